/** What placing and ending an order needs of drops; everything else of them stays in this context. */
import type { DynamoDBDocumentClient, TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../kernel/batch.ts';
import { DomainError } from '../kernel/errors.ts';
import { readStanding } from './adapters/standing.ts';
import { type DropEntry, holdsStill } from './domain/drop.ts';
import { countAfterSeconds } from './domain/queue.ts';
import { isStale } from './domain/serving.ts';
import { type AdmissionClaims, claimsOf, isSigned } from './domain/token.ts';
import { claimKey, customerKey, fallbackKey, skuKey } from './keys.ts';

export type { DropEntry } from './domain/drop.ts';

type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A drop with those of an order's SKUs that are in it. */
export interface SkuDrop extends DropEntry {
  readonly skus: readonly string[];
}

/**
 * What is announced of each of `skus`; nearly always nothing, and then the SKU is absent. One eventual read, along with
 * that of the prices, unless `consistent` (needs `dynamodb:BatchGetItem` on the admission table).
 * @throws DomainError `temporary-reduced-capacity`
 */
export async function readEntries(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
  options: { readonly consistent?: boolean } = {},
): Promise<ReadonlyMap<string, readonly DropEntry[]>> {
  const items = await batchGet(documents, table, [...new Set(skus)].map(skuKey), options);
  return new Map(items.map(({ sku, drops }) => [sku, drops]));
}

/** The drops that demand admission at the moment: of each SKU the one that is open, or else the next that is announced. */
export function dropsAmong(
  entries: ReadonlyMap<string, readonly DropEntry[]>,
  now: number,
): readonly SkuDrop[] {
  const open = [...entries].flatMap(([sku, drops]) => {
    const ahead = drops.filter(({ closesAt }) => now < closesAt);
    // Windows of one SKU do not overlap: if one of them is open, it is the first.
    const [drop] = ahead.toSorted((a, b) => a.opensAt - b.opensAt);
    return drop ? [{ sku, drop }] : [];
  });
  return [...Map.groupBy(open, ({ drop }) => drop.dropId).values()].map((same) => ({
    ...same[0]!.drop,
    skus: same.map(({ sku }) => sku),
  }));
}

/**
 * Those of `skus` whose terms must not change now, with the drop for which they are held: while it is open, orders
 * remember them. A change of another one that is begun now has ended before they do (consistent reads; needs
 * `dynamodb:BatchGetItem`).
 * @throws DomainError `temporary-reduced-capacity`
 */
export async function heldStill(
  documents: DynamoDBDocumentClient,
  table: string,
  skus: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, string>> {
  const entries = await readEntries(documents, table, skus, { consistent: true });
  return new Map(
    [...entries].flatMap(([sku, drops]): [string, string][] => {
      const holding = drops.find((drop) => holdsStill(drop, now));
      return holding ? [[sku, holding.dropId]] : [];
    }),
  );
}

/**
 * Whether `token` admits this shopper to the drop now.
 * @throws DomainError `admission-invalid`
 */
export function verifyAdmission(
  token: string,
  drop: Pick<SkuDrop, 'dropId' | 'publicKey'>,
  customerId: string,
  now: number,
): AdmissionClaims {
  const claims = claimsOf(token);
  const refuse = (detail: string) => new DomainError('admission-invalid', detail, { dropId: drop.dropId });
  if (!claims || claims.drop !== drop.dropId || !isSigned(token, drop.publicKey)) {
    throw refuse('The admission token is not one of this drop.');
  }
  if (claims.sub !== customerId) throw refuse('The admission token was given to another account.');
  if (now >= claims.exp * 1_000) {
    throw refuse('The admission has run out. Take another ticket: it stands at the end of the queue.');
  }
  return claims;
}

/** The drop that a token says it is for; undefined when it says nothing of the kind. */
export function dropOfToken(token: string): string | undefined {
  return claimsOf(token)?.drop;
}

/** By what an order may take from a drop: an admission, or a slot of the fallback rate. */
export interface Entry {
  readonly dropId: string;
  readonly customerId: string;
  readonly units: number;
  readonly perCustomerLimit: number;
  /** Epoch seconds after which the database may forget it. */
  readonly expiresAt: number;
  readonly by: { readonly position: number } | { readonly second: number; readonly slot: number };
}

/**
 * Uses an entry up, as two actions of the place-order transaction: the admission (or slot) can be used once, and the
 * shopper's units in the drop stay within its limit. Each reason of a failure carries what was there (`ALL_OLD`).
 * Needs `dynamodb:PutItem` and `dynamodb:UpdateItem`.
 */
export function claimItems(table: string, entry: Entry): readonly [TransactItem, TransactItem] {
  const { dropId, customerId, units, perCustomerLimit, expiresAt, by } = entry;
  const key = 'position' in by ? claimKey(dropId, by.position) : fallbackKey(dropId, by.second, by.slot);
  const position = 'position' in by ? { position: by.position } : {};
  return [
    {
      Put: {
        TableName: table,
        Item: { ...key, ...position, units, expiresAt },
        ConditionExpression: 'attribute_not_exists(pk)',
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
    {
      Update: {
        TableName: table,
        Key: customerKey(dropId, customerId),
        UpdateExpression: 'SET expiresAt = :expires ADD units :units',
        ConditionExpression: 'attribute_not_exists(units) OR units <= :room',
        ExpressionAttributeValues: {
          ':units': units,
          ':room': perCustomerLimit - units,
          ':expires': expiresAt,
        },
        ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
      },
    },
  ];
}

/** Units of an order that has ended unpaid, which its shopper may buy again in the drop. */
export interface Returned {
  readonly dropId: string;
  readonly customerId: string;
  readonly units: number;
}

/** Gives units back to the shopper's limit; it cannot fail. What was used stays used. Needs `dynamodb:UpdateItem`. */
export function returnItem(table: string, { dropId, customerId, units }: Returned): TransactItem {
  return {
    Update: {
      TableName: table,
      Key: customerKey(dropId, customerId),
      UpdateExpression: 'ADD units :units',
      ExpressionAttributeValues: { ':units': -units },
    },
  };
}

/** Seconds without a count after which nobody can get tickets any more, or nobody is there. */
const countedWithin = 30;

/**
 * A free slot of the fallback rate, for an order without a token: only while nobody conducts the drop and nobody counts
 * its arrivals either, so that tickets cannot be had. A slot is one order of one second.
 * @param random from 0 to below 1
 * @returns undefined while the waiting room works: the order needs an admission
 */
export async function fallbackSlot(
  documents: DynamoDBDocumentClient,
  table: string,
  drop: Pick<SkuDrop, 'dropId'>,
  now: number,
  random: number,
): Promise<{ readonly second: number; readonly slot: number } | undefined> {
  const standing = await readStanding(documents, table, drop.dropId, now);
  if (!standing || standing.drop.pausedAt !== undefined) return undefined;
  const { drop: terms, serving, queue } = standing;
  const second = Math.floor(now / 1_000);
  const counted = queue.closedTo + 1 + countAfterSeconds + countedWithin;
  if (!isStale(terms, serving, now) || counted > second) return undefined;
  return { second, slot: Math.floor(random * terms.fallbackPerSecond) };
}
