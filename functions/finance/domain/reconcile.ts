import type { Currency } from '../../kernel/contract.ts';
import { share } from '../../kernel/money.ts';
import type { SettlementRow } from '../../sandbox/contract.ts';
import { addDays } from './business-date.ts';
import { type JournalEntry, reversalSuffix } from './journal.ts';

export type DifferenceType =
  /** In the journal, in no settlement file of its day or the next. */
  | 'missing-at-provider'
  /** In a settlement file, not in the journal. */
  | 'missing-here'
  /** The amounts differ, or their currencies. */
  | 'amount'
  /** The provider keeps another fee than agreed. */
  | 'fee'
  /** The two sides have it on different days, or the provider is to have it tomorrow. Resolves by itself. */
  | 'timing'
  /** The provider settles the same thing more than once. */
  | 'duplicate';

/** One side's record of a movement. `id` is unique; amounts are signed as they move our balance at the provider. */
interface Movement {
  readonly id: string;
  readonly day: string;
  readonly amount: number;
  readonly fee: number;
  readonly currency: Currency;
}

/** What does not agree between the journal and the provider about one reference. */
export interface Difference {
  readonly type: DifferenceType;
  readonly movement: 'charge' | 'refund';
  readonly reference: string;
  readonly ours: readonly Movement[];
  readonly theirs: readonly Movement[];
  /** The settled day (UTC) on which the reference was first found not to agree. */
  readonly since: string;
  /** Days from then until the day that was reconciled last. */
  readonly ageDays: number;
  /** The settled day with which it was resolved. */
  readonly resolved?: string | undefined;
}

/** What the provider is to keep of a capture, in millionths (the contract with it). */
const agreedFeeMillionths = 29_000;

interface Both {
  readonly ours: Map<string, Movement>;
  readonly theirs: Map<string, Movement>;
}

/**
 * Compares a day of the provider's with the journal, and looks at what was open before.
 *
 * @param day the settled day, UTC
 * @param files the settlement files of the day and, as far as there are any, of the two days before: an entry of
 *   yesterday may have been settled the day before it
 * @param entries journal entries that happened from the day before to the day after, and on the days of `open`
 * @param open the differences that the day before left
 * @returns every difference that is open now, and those that this day resolved
 */
export function reconcile(
  day: string,
  files: ReadonlyMap<string, readonly SettlementRow[]>,
  entries: readonly JournalEntry[],
  open: readonly Difference[],
): Difference[] {
  const known = new Map(open.map((difference) => [keyOf(difference), difference]));
  const all = new Map<string, Both>();
  const of = (key: string): Both => {
    const found = all.get(key) ?? { ours: new Map(), theirs: new Map() };
    all.set(key, found);
    return found;
  };
  for (const [key, { ours, theirs }] of known) {
    for (const one of ours) of(key).ours.set(one.id, one);
    for (const one of theirs) of(key).theirs.set(one.id, one);
  }
  for (const [date, rows] of files) {
    for (const [index, row] of rows.entries()) {
      const key = keyOfRow(row, all);
      if (key) of(key).theirs.set(`${date}#${index}`, theirMovement(row, `${date}#${index}`, date));
    }
  }
  for (const entry of entries) {
    const ours = ourMovement(entry);
    if (ours) of(ours.key).ours.set(ours.movement.id, ours.movement);
  }

  const yesterday = addDays(day, -1);
  const knowsDaysBefore = files.has(yesterday) && files.has(addDays(day, -2));
  return [...all].flatMap(([key, { ours, theirs }]) => {
    const before = known.get(key);
    const sides = { ours: [...ours.values()], theirs: [...theirs.values()] };
    // The rest was compared with its own day; of its other side we may not even have read here.
    const isDue =
      before ||
      sides.theirs.some((one) => one.day === day) ||
      sides.ours.some((one) => one.day >= day || (one.day === yesterday && !isReversal(one)));
    if (!isDue) return [];
    const verdict = judge(day, knowsDaysBefore, before !== undefined, sides, key.startsWith('charge'));
    const [movement, reference] = key.split(':', 2) as ['charge' | 'refund', string];
    const since = before?.since ?? day;
    const made = (type: DifferenceType, resolved?: string): Difference => ({
      type,
      movement,
      reference,
      ...sides,
      since,
      ageDays: daysBetween(since, day),
      ...(resolved !== undefined && { resolved }),
    });
    if (verdict === 'agreed') return before ? [made(before.type, day)] : [];
    if (verdict === 'not-yet') return before ? [made(before.type)] : [];
    if (verdict === 'passed') return [made('timing', day)];
    if (before && before.type !== verdict) return [made(before.type, day), made(verdict)];
    return [made(verdict)];
  });
}

/** What two sides' records of one reference come to. `passed`: they agree, on different days. */
function judge(
  day: string,
  knowsDaysBefore: boolean,
  isOpen: boolean,
  { ours, theirs }: { readonly ours: readonly Movement[]; readonly theirs: readonly Movement[] },
  isCharge: boolean,
): DifferenceType | 'agreed' | 'passed' | 'not-yet' {
  if (theirs.length === 0) {
    // A reversal may have taken our own entry back.
    if (sum(ours, 'amount') === 0) return 'agreed';
    const latest = ours.map((one) => one.day).reduce(later);
    if (latest > day) return 'not-yet';
    if (latest === day) return 'timing';
    return isOpen || knowsDaysBefore ? 'missing-at-provider' : 'not-yet';
  }
  if (ours.length === 0) return sum(theirs, 'amount') === 0 ? 'agreed' : 'missing-here';
  const expected = sum(ours, 'amount');
  const given = sum(theirs, 'amount');
  const currencies = new Set([...ours, ...theirs].map(({ currency }) => currency));
  if (given !== expected || currencies.size > 1) {
    const repeated = theirs.length > 1 && theirs.every(({ amount }) => amount === expected);
    return repeated && currencies.size === 1 ? 'duplicate' : 'amount';
  }
  if (isCharge && sum(theirs, 'fee') !== share(expected, agreedFeeMillionths)) return 'fee';
  if (isOpen) return 'agreed';
  const first = (side: readonly Movement[]) => side.map((one) => one.day).reduce(earlier);
  const [here, there] = [first(ours), first(theirs)];
  // Told once: with the file that has it.
  return here !== there && there === day ? 'passed' : 'agreed';
}

function keyOf({ movement, reference }: Difference): string {
  return `${movement}:${reference}`;
}

/** Disputes and payouts have no counterpart among events: they are booked from the file. */
function keyOfRow({ type, reference }: SettlementRow, known: ReadonlyMap<string, Both>): string | undefined {
  if (type === 'charge' || type === 'refund') return `${type}:${reference}`;
  if (type !== 'adjustment') return undefined;
  return known.has(`refund:${reference}`) ? `refund:${reference}` : `charge:${reference}`;
}

function theirMovement({ gross, fee, currency }: SettlementRow, id: string, day: string): Movement {
  return { id, day, amount: gross, fee, currency };
}

/** What an entry moves at the provider, if it is of a capture or a refund; reversals move it back. */
function ourMovement(entry: JournalEntry): { key: string; movement: Movement } | undefined {
  const moved = entry.postings.filter(
    ({ account, kind }) => account === 'payment-clearing' && (kind === 'capture' || kind === 'refund'),
  );
  const [first] = moved;
  if (!first || entry.reference === undefined) return undefined;
  return {
    key: `${first.kind === 'capture' ? 'charge' : 'refund'}:${entry.reference}`,
    movement: {
      id: entry.entryId,
      day: entry.occurredAt.slice(0, 10),
      amount: moved.reduce((total, { debit, credit }) => total + debit - credit, 0),
      fee: 0,
      currency: first.currency,
    },
  };
}

/** Looked at on its own day only: afterwards, what it takes back may be too old to have been read. */
function isReversal({ id }: Movement): boolean {
  return id.endsWith(reversalSuffix);
}

function sum(movements: readonly Movement[], of: 'amount' | 'fee'): number {
  return movements.reduce((total, movement) => total + movement[of], 0);
}

function daysBetween(from: string, to: string): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000);
}

function later(a: string, b: string): string {
  return [a, b].sort()[1]!;
}

function earlier(a: string, b: string): string {
  return [a, b].sort()[0]!;
}
