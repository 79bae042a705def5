import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { addEntry } from '../../functions/finance/adapters/journal-table.ts';
import { postEntry } from '../../functions/finance/app/post-entry.ts';
import { postedEvents } from '../../functions/finance/domain/posted-events.ts';
import type { EventContract } from '../../functions/kernel/contract.ts';
import { receive, type StoredEvent } from '../../functions/kernel/events.ts';
import { addFacts } from '../../functions/reporting/adapters/row-table.ts';
import { followOrder } from '../../functions/reporting/app/follow-order.ts';
import { followedEvents } from '../../functions/reporting/contract.ts';
import { orderIdOf } from '../../functions/reporting/keys.ts';

export type Item = Readonly<Record<string, unknown>>;

/** A table that order events alone make, by the consumer's own use case and adapter. */
export interface Projection {
  readonly name: 'reporting' | 'finance';
  /** Brings events of one order into `table`, as its consumer does. */
  into(
    documents: DynamoDBDocumentClient,
    table: string,
  ): (events: readonly [StoredEvent, ...StoredEvent[]]) => Promise<void>;
  /** Whether an item of the live table comes from order events; the others are none of the rebuild's business. */
  owns(item: Item): boolean;
  /** The order that an item is about. */
  orderIdOf(item: Item): string;
  /** The books are corrected by reversal: an entry that is missing may be added, and nothing else be changed. */
  readonly addedToOnly: boolean;
}

const reporting: Projection = {
  name: 'reporting',
  into: (documents, table) => {
    const follow = followOrder({ addFacts: addFacts(documents, table) });
    return async (events) => {
      const [first, ...rest] = received(followedEvents, events);
      if (first) await follow(first, ...rest);
    };
  },
  owns: () => true,
  orderIdOf: ({ pk }) => orderIdOf(String(pk)),
  addedToOnly: false,
};

/** @param timeZone whose midnight ends a business date (IANA) */
const journal = (timeZone: string): Projection => ({
  name: 'finance',
  into: (documents, table) => {
    const post = postEntry({ timeZone, add: addEntry(documents, table) });
    return async (events) => {
      for (const event of received(postedEvents, events)) await post(event);
    };
  },
  // Not the entries of settlements (`stl_…`), nor the reversals that people decide on (`…-reversal`).
  owns: ({ eventId }) => /^evt_.+-\d+$/.test(String(eventId)),
  orderIdOf: ({ orderId }) => String(orderId),
  addedToOnly: true,
});

/** E-mail is a projection too, and is not rebuilt: nobody wants last year's letters again. */
export function projections(timeZone: string): readonly Projection[] {
  return [reporting, journal(timeZone)];
}

/** The events of `contracts`, read and checked as if they came from the bus. */
function received<const C extends readonly EventContract[]>(contracts: C, events: readonly StoredEvent[]) {
  return events.flatMap((event) => {
    const contract = contracts.find(({ type }) => type === event.type);
    if (!contract) return [];
    const envelope = { source: contract.source, 'detail-type': event.type, detail: event };
    return [receive(contracts, JSON.stringify(envelope))];
  });
}
