import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type JournalEntry, reversalOf } from '../domain/journal.ts';

export interface Ports {
  readonly now: Now;
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  readonly entry: (businessDate: string, eventId: string) => Promise<JournalEntry | undefined>;
  /** Adds the reversal unless the entry has one. Answers the one that stands in the journal. */
  readonly addReversal: (entry: JournalEntry, reversal: JournalEntry) => Promise<JournalEntry>;
}

/**
 * Takes a journal entry back. The entry itself stays as it is, for good.
 * 1. Read the entry.
 * 2. Add its reversal, dated now: it goes into the export of the day on which it was decided.
 * 3. Answer the reversal that the journal holds for it: there is one at most, however often this is asked.
 *
 * @throws DomainError `not-found`; `already-exists` for a reversal, which is not taken back itself
 */
export const reverseEntry =
  (ports: Ports) =>
  async (request: {
    readonly businessDate: string;
    readonly eventId: string;
    readonly by: string;
    readonly reason: string;
  }): Promise<JournalEntry> => {
    const { businessDate, eventId, by, reason } = request;
    const entry = await ports.entry(businessDate, eventId);
    if (!entry)
      throw new DomainError('not-found', `The journal of ${businessDate} has no entry of ${eventId}.`);
    const reversal = reversalOf(entry, { at: isoInstant(ports.now()), by, reason }, ports.timeZone);
    return ports.addReversal(entry, reversal);
  };
