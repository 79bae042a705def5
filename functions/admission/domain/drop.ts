import type { AdmissionPace, DropState } from '../contract.ts';

/** A drop as it was announced and as operators have changed it. Times in milliseconds since the epoch. */
export interface Drop {
  readonly id: string;
  readonly name: string;
  readonly skus: readonly string[];
  readonly opensAt: number;
  /** Moved to the moment at which an operator closed it. */
  readonly closesAt: number;
  readonly perCustomerLimit: number;
  readonly admission: AdmissionPace;
  readonly fallbackPerSecond: number;
  readonly holdSeconds: number;
  readonly arrivalShards: number;
  /** Since when nobody more is admitted; undefined while people are. */
  readonly pausedAt?: number | undefined;
  /** Key of the order within a second, base64. Secret: who knew it could choose an account that comes first. */
  readonly orderKey: string;
  /** Of the admission tokens: SPKI in DER, base64. */
  readonly publicKey: string;
  /** Wrapped by KMS, base64. */
  readonly wrappedKey: string;
  readonly requestHash: string;
  readonly version: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** A drop as its SKUs' entries tell it. */
export interface DropEntry extends Pick<Drop, 'opensAt' | 'closesAt' | 'perCustomerLimit' | 'publicKey'> {
  readonly dropId: string;
}

/**
 * Milliseconds after which nothing is under way any more that was begun before: a function's time limit is 29 s at most,
 * the announcement takes up to 10 s itself, what was sent arrives within a minute or not at all, clocks differ by a second
 * or two. So long before it opens a drop is announced; and so long before it opens, and after it has closed, what orders
 * remember of its SKUs stands still.
 */
export const settlingMs = 120_000;

/** Whether what orders may remember of the drop's SKUs must stay as it is. */
export function holdsStill({ opensAt, closesAt }: Pick<Drop, 'opensAt' | 'closesAt'>, now: number): boolean {
  return now >= opensAt - settlingMs && now < closesAt + settlingMs;
}

/** @param soldOut as the conductor last found it */
export function stateOf(
  drop: Pick<Drop, 'opensAt' | 'closesAt' | 'pausedAt'>,
  soldOut: boolean,
  now: number,
): DropState {
  if (now >= drop.closesAt) return 'closed';
  if (drop.pausedAt !== undefined) return 'paused';
  if (now < drop.opensAt) return 'scheduled';
  return soldOut ? 'sold_out' : 'open';
}

/** Epoch seconds from which DynamoDB may delete what belongs to the drop: a month after it closed. */
export function expiryOf({ closesAt }: Pick<Drop, 'closesAt'>): number {
  return Math.floor(closesAt / 1_000) + 30 * 86_400;
}
