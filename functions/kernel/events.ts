import type { SQSBatchResponse, SQSEvent } from 'aws-lambda';
import * as z from 'zod/mini';
import { isoInstant, systemNow } from './clock.ts';
import type { EventContract } from './contract.ts';
import { errorName } from './errors.ts';
import { count, log, measure, trail } from './log.ts';
import { defectMetrics, lateAfterSeconds, objectiveMetrics } from './metrics.ts';
import { recordedTraceId } from './trace.ts';

/** The flat attributes of a stored event; the Pipe maps them into the envelope's `detail` one by one. */
export const storedEvent = z.object({
  /** Ours, and the key of every consumer's deduplication. */
  id: z.string(),
  type: z.string(),
  /** Of the body's schema. */
  version: z.coerce.number(),
  orderId: z.string(),
  seq: z.coerce.number(),
  /** When it happened, by the clock of whoever appended it. */
  at: z.iso.datetime(),
  traceparent: z.string(),
  /** JSON text. */
  body: z.string(),
});
export type StoredEvent = z.infer<typeof storedEvent>;

const envelope = z.object({
  source: z.string(),
  'detail-type': z.string(),
  'replay-name': z.optional(z.string()),
  detail: storedEvent,
});

/** An event as a consumer sees it. */
export interface Received<E extends EventContract = EventContract>
  extends Omit<StoredEvent, 'body' | 'type'> {
  readonly type: E['type'];
  readonly body: z.output<E['body']>;
  /** Whether it comes from an archive replay. */
  readonly replayed: boolean;
  /** How often the queue has handed it out, this time included. */
  readonly receives: number;
}

/** What one event becomes; `type` tells the contracts apart. */
type ReceivedOf<C extends readonly EventContract[]> = { [I in keyof C]: Received<C[I]> }[number];

/**
 * The one shape of every event consumer: an SQS batch of bus events in, the failed ones out
 * (`ReportBatchItemFailures`). `consume` must accept an event twice, late and in any order.
 * A record that breaks its contract fails, and so ends in the dead-letter queue with an alarm.
 */
export function eventConsumer<const C extends readonly EventContract[]>(
  contracts: C,
  consume: (event: ReceivedOf<C>) => Promise<void>,
): (batch: SQSEvent) => Promise<SQSBatchResponse> {
  return async (batch) => {
    const received: Received[] = [];
    const now = systemNow();
    const failures = await Promise.all(
      batch.Records.map(async (record) => {
        try {
          const receives = Number(record.attributes.ApproximateReceiveCount);
          const event = receive(contracts, record.body, receives);
          received.push(event);
          await consume(event);
          return [];
        } catch (error) {
          log.error('event failed', {
            messageId: record.messageId,
            receives: record.attributes.ApproximateReceiveCount,
            error: errorName(error),
            reason: error instanceof Error ? error.message.slice(0, 300) : undefined,
          });
          count(defectMetrics.eventFailed);
          return [{ itemIdentifier: record.messageId }];
        }
      }),
    );
    report(received, now);
    return { batchItemFailures: failures.flat() };
  };
}

/**
 * One line a batch: how long the events were under way, and which traces they belong to. A second receipt and a
 * replay say nothing about delivery.
 */
function report(received: readonly Received[], now: number): void {
  const first = received.filter(({ receives, replayed }) => receives === 1 && !replayed);
  const seconds = first.map(({ at }) => Math.max(0, (now - Date.parse(at)) / 1000));
  const took = received.flatMap(({ id, receives, traceparent }) => {
    const trace = recordedTraceId(traceparent);
    return trace ? [{ id, ...(receives > 1 && { receives }), trace }] : [];
  });
  const late = seconds.map((age) => (age > lateAfterSeconds ? 1 : 0));
  const { deliverySeconds, deliveredLate } = objectiveMetrics;
  if (first.length > 0) measure({ [deliverySeconds]: seconds, [deliveredLate]: late }, { took }, now);
  else if (took.length > 0) trail('took', { at: now, took });
}

/** @throws Error when the message is not an event of one of the contracts. */
export function receive<const C extends readonly EventContract[]>(
  contracts: C,
  message: string,
  receives = 1,
): ReceivedOf<C> {
  const event = z.parse(envelope, JSON.parse(message));
  const contract = contracts.find((c) => c.type === event.detail.type && c.source === event.source);
  if (!contract) throw new Error(`no contract for ${event.source} ${event.detail.type}`);
  return {
    ...event.detail,
    body: z.parse(contract.body, JSON.parse(event.detail.body)),
    replayed: event['replay-name'] !== undefined,
    receives,
  } as ReceivedOf<C>;
}

/**
 * A stored event of `contract`. The body is checked against its schema before it can be stored.
 * @param at milliseconds since the epoch
 */
export function storedEventOf<E extends EventContract>(
  contract: E,
  event: { orderId: string; seq: number; at: number; traceparent: string; body: z.input<E['body']> },
): StoredEvent {
  return {
    id: `evt_${event.orderId.slice(4)}-${event.seq}`,
    type: contract.type,
    version: contract.version,
    orderId: event.orderId,
    seq: event.seq,
    at: isoInstant(event.at),
    traceparent: event.traceparent,
    body: JSON.stringify(z.parse(contract.body, event.body)),
  };
}
