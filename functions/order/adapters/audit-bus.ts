import { EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { type Sleep, systemSleep } from '../../kernel/clock.ts';
import type { StoredEvent } from '../../kernel/events.ts';
import { count, log } from '../../kernel/log.ts';
import { auditMetrics } from '../../kernel/metrics.ts';
import type { Ports } from '../app/audit-events.ts';
import { orderPlaced } from '../contract.ts';

/** PutEvents takes no more entries, nor more bytes of all of them (256 KB, of which no event has as much). */
const entriesPerCall = 10;
const bytesPerCall = 250_000;
const attempts = 5;

/**
 * Sends stored events in the envelope in which the pipe sends them. The bus may take some entries of a call and
 * refuse others: each is judged by its own result, and the refused are sent again.
 */
export function auditBus(
  busName: string,
  bus: Pick<EventBridgeClient, 'send'> = new EventBridgeClient({ maxAttempts: 3 }),
  sleep: Sleep = systemSleep,
): Ports['send'] {
  return async (events) => {
    const taken: StoredEvent[] = [];
    for (const chunk of callsOf(events)) {
      let left = chunk;
      for (let attempt = 0; attempt < attempts && left.length > 0; attempt++) {
        if (attempt > 0) await sleep(100 * 2 ** attempt);
        const { Entries = [] } = await bus.send(
          new PutEventsCommand({ Entries: left.map((event) => entryOf(event, busName)) }),
        );
        taken.push(...left.filter((_, index) => Entries[index]?.EventId !== undefined));
        left = left.filter((_, index) => Entries[index]?.EventId === undefined);
      }
      if (left.length > 0) {
        log.error('the bus refuses events', { eventIds: left.map(({ id }) => id) });
        count(auditMetrics.reemissionRefused, left.length);
      }
    }
    return taken;
  };
}

function callsOf(events: readonly StoredEvent[]): StoredEvent[][] {
  const calls: StoredEvent[][] = [];
  let bytes = 0;
  for (const event of events) {
    const size = Buffer.byteLength(JSON.stringify(event));
    const call = calls.at(-1);
    if (call && call.length < entriesPerCall && bytes + size <= bytesPerCall) call.push(event);
    else {
      calls.push([event]);
      bytes = 0;
    }
    bytes += size;
  }
  return calls;
}

function entryOf(event: StoredEvent, busName: string): PutEventsRequestEntry {
  const { id, type, version, orderId, seq, at, traceparent, body } = event;
  return {
    EventBusName: busName,
    Source: orderPlaced.source,
    DetailType: type,
    // Numbers are text: so they come out of a stream's images.
    Detail: JSON.stringify({
      id,
      type,
      version: String(version),
      orderId,
      seq: String(seq),
      at,
      traceparent,
      body,
    }),
  };
}
