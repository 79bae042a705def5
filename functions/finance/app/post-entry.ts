import type { Received } from '../../kernel/events.ts';
import { paymentCaptured, refundCompleted } from '../../order/contract.ts';
import { type JournalEntry, refundEntry, saleEntry } from '../domain/journal.ts';

/** The events that move money, and so the books. */
export const postedEvents = [paymentCaptured, refundCompleted] as const;

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  /** Adds the entry unless the journal has it: the entry is also the mark that its event was consumed. */
  readonly add: (entry: JournalEntry) => Promise<void>;
}

/**
 * Posts the journal entry of an event.
 * 1. Book a capture as a sale, or a completed refund as its reversal.
 * 2. Add the entry under the event's own id and date: however often it comes, it stands there once.
 *
 * @throws DomainError `internal-error` when the entry would not balance
 */
export const postEntry =
  (ports: Ports) =>
  async (event: Received<typeof paymentCaptured> | Received<typeof refundCompleted>): Promise<void> => {
    const { timeZone } = ports;
    await ports.add(
      event.type === 'payment.captured' ? saleEntry(event, timeZone) : refundEntry(event, timeZone),
    );
  };
