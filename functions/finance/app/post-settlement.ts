import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { type SettlementPlan, settlementPlan } from '../contract.ts';
import type { JournalEntry } from '../domain/journal.ts';
import { rowsIn, settlementEntries, settlementKey } from '../domain/settlement.ts';

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Adds the entry unless the journal has it. */
  readonly add: (entry: JournalEntry) => Promise<void>;
}

/**
 * Second state of the reconciliation: what only the provider can tell.
 * 1. Read the day's file.
 * 2. Add an entry for its fees in each currency, each chargeback and each payout, once.
 */
export const postSettlement =
  (ports: Ports) =>
  async (input: unknown): Promise<SettlementPlan> => {
    const plan = z.parse(settlementPlan, input);
    const content = await ports.read(settlementKey(plan.date));
    if (!content) throw new DomainError('internal-error', `The settlement file of ${plan.date} is gone.`);
    for (const entry of settlementEntries(plan.date, rowsIn(content), ports.timeZone)) await ports.add(entry);
    return plan;
  };
