import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { type SettlementPlan, settlementRequest } from '../contract.ts';
import { addDays } from '../domain/business-date.ts';
import { settlementKey } from '../domain/settlement.ts';

export interface Ports {
  /** The latest day that has been reconciled. */
  readonly lastReconciled: () => Promise<string | undefined>;
  /** The provider's settlement file of a day; undefined while it has none. */
  readonly settlementOf: (date: string) => Promise<Uint8Array | undefined>;
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Writes an object unless there is one. @returns false when there is */
  readonly create: (key: string, content: Uint8Array, contentType: string) => Promise<boolean>;
}

/**
 * First state of the reconciliation: the provider's file.
 * 1. The day is the one after the last that was reconciled, up to yesterday: the open differences pass from day to
 *    day. Days are the provider's, in UTC.
 * 2. Its file is kept as it came; the provider must not change it afterwards.
 *
 * @throws DomainError `validation-failed` for an input that is no `{"time"}`; `internal-error` for a changed file
 */
export const fetchSettlement =
  (ports: Ports) =>
  async (input: unknown): Promise<SettlementPlan> => {
    const request = z.safeParse(settlementRequest, input);
    if (!request.success) {
      throw new DomainError('validation-failed', 'Start the reconciliation with {"time": "…Z"}.');
    }
    const yesterday = addDays(new Date(request.data.time).toISOString().slice(0, 10), -1);
    const last = await ports.lastReconciled();
    const date = last === undefined ? yesterday : addDays(last, 1);
    if (date > yesterday) return { date: last!, state: 'reconciled' };
    const content = await ports.settlementOf(date);
    if (!content) return { date, state: 'waiting' };
    const key = settlementKey(date);
    if (!(await ports.create(key, content, 'text/csv; charset=utf-8; header=present'))) {
      const kept = await ports.read(key);
      if (!kept || !Buffer.from(kept).equals(Buffer.from(content))) {
        throw new DomainError('internal-error', `The provider has changed its settlement file of ${date}.`);
      }
    }
    return { date, state: 'ready' };
  };
