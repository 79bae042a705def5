import type { Received } from '../../kernel/events.ts';
import { type JournalEntry, refundEntry, saleEntry, voidEntry } from '../domain/journal.ts';
import type { postedEvents } from '../domain/posted-events.ts';

/** An event that moves the books. */
type PostedEvent = ReceivedOf<(typeof postedEvents)[number]>;
type ReceivedOf<E> = E extends (typeof postedEvents)[number] ? Received<E> : never;

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  /** Adds the entry unless the journal has it: the entry is also the mark that its event was consumed. */
  readonly add: (entry: JournalEntry) => Promise<void>;
}

/**
 * Posts the journal entry of an event.
 * 1. Book a capture as a sale, a completed refund as its reversal, a hold given up as a memo.
 * 2. Add the entry under the event's own id and date: however often it comes, it stands there once.
 *
 * @throws DomainError `internal-error` when the entry would not balance
 */
export const postEntry =
  (ports: Ports) =>
  async (event: PostedEvent): Promise<void> => {
    const entry = entryFor(event, ports.timeZone);
    if (entry) await ports.add(entry);
  };

function entryFor(event: PostedEvent, timeZone: string): JournalEntry | undefined {
  switch (event.type) {
    case 'payment.captured':
      return saleEntry(event, timeZone);
    case 'refund.completed':
      return refundEntry(event, timeZone);
    case 'payment.voided': {
      const { attempt, amount } = event.body;
      return amount && voidEntry({ ...event, body: { attempt, amount } }, timeZone);
    }
  }
}
