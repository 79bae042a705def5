import * as z from 'zod/mini';
import { dateIn } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { log, measure } from '../../kernel/log.ts';
import { auditMetrics, businessMetrics } from '../../kernel/metrics.ts';
import type { SettlementRow } from '../../sandbox/contract.ts';
import { type Reconciliation, settlementPlan } from '../contract.ts';
import { addDays } from '../domain/business-date.ts';
import type { JournalEntry } from '../domain/journal.ts';
import { type Difference, type DifferenceType, reconcile } from '../domain/reconcile.ts';
import { differencesKey, rowsIn, settlementKey } from '../domain/settlement.ts';

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  readonly entriesOf: (businessDate: string) => Promise<JournalEntry[]>;
  readonly lastReconciled: () => Promise<string | undefined>;
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
  /** Writes an object unless there is one. @returns false when there is */
  readonly create: (key: string, content: Uint8Array, contentType: string) => Promise<boolean>;
}

/**
 * Last state of the reconciliation: what does not agree.
 * 1. Read the files of the day and the two before, the differences that are open, and the journal of all their days.
 * 2. Compare by reference; type each difference, and resolve those that agree now.
 * 3. Write what is open and what was resolved, which makes the day reconciled; report what is open.
 */
export const matchSettlement =
  (ports: Ports) =>
  async (input: unknown): Promise<Reconciliation> => {
    const { date } = z.parse(settlementPlan, input);
    const before = await openBefore(ports);
    const files = new Map<string, SettlementRow[]>();
    for (const day of [addDays(date, -2), addDays(date, -1), date]) {
      const content = await ports.read(settlementKey(day));
      if (content) files.set(day, rowsIn(content));
    }
    if (!files.has(date)) throw new DomainError('internal-error', `The settlement file of ${date} is gone.`);
    const found = reconcile(date, files, await entriesAround(ports, date, before), before);
    const open = found.filter(({ resolved }) => resolved === undefined);
    const content = Buffer.from(
      `${JSON.stringify({ schemaVersion: 1, date, differences: found }, null, 2)}\n`,
    );
    await ports.create(differencesKey(date), content, 'application/json');

    // What is on its way to tomorrow's file is nothing to look into.
    const due = open.filter(({ type }) => type !== 'timing');
    const oldestDays = Math.max(0, ...due.map(({ ageDays }) => ageDays));
    const charges = (wanted: DifferenceType) =>
      due.filter(({ type, movement }) => type === wanted && movement === 'charge').length;
    measure({
      [businessMetrics.reconciliationDifferences]: [due.length],
      [businessMetrics.paidWithoutOrder]: [charges('missing-here')],
      [businessMetrics.chargeWithoutCapture]: [charges('missing-at-provider')],
      [auditMetrics.oldestDifferenceDays]: [oldestDays],
    });
    const counts = Object.fromEntries(
      [...Map.groupBy(open, ({ type }) => type)].map(([type, { length }]) => [type, length]),
    );
    log.info('reconciled', { date, open: counts, resolved: found.length - open.length });
    return { date, open: counts, resolved: found.length - open.length, oldestDays };
  };

async function openBefore(ports: Ports): Promise<readonly Difference[]> {
  const last = await ports.lastReconciled();
  if (last === undefined) return [];
  const content = await ports.read(differencesKey(last));
  if (!content) return [];
  const { differences } = JSON.parse(Buffer.from(content).toString()) as { differences: Difference[] };
  return differences.filter(({ resolved }) => resolved === undefined);
}

/** A day of the provider's touches two or three business dates. */
async function entriesAround(
  ports: Ports,
  date: string,
  open: readonly Difference[],
): Promise<JournalEntry[]> {
  const days = new Set(
    [date, ...open.map(({ since }) => since)].flatMap((day) => [-1, 0, 1].map((by) => addDays(day, by))),
  );
  const businessDates = new Set(
    [...days].flatMap((day) =>
      ['T00:00:00.000Z', 'T23:59:59.999Z'].map((time) => dateIn(ports.timeZone, `${day}${time}`)),
    ),
  );
  const entries: JournalEntry[] = [];
  for (const businessDate of [...businessDates].sort())
    entries.push(...(await ports.entriesOf(businessDate)));
  return entries.filter(({ occurredAt }) => days.has(occurredAt.slice(0, 10)));
}
