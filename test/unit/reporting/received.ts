import type { EventContract } from '../../../functions/kernel/contract.ts';
import { type Received, receive, type StoredEvent } from '../../../functions/kernel/events.ts';

/** The event as it comes from the bus. */
export function received(contracts: readonly EventContract[], event: StoredEvent): Received {
  const envelope = { source: 'floodgate.order', 'detail-type': event.type, detail: event };
  return receive(contracts, JSON.stringify(envelope));
}
