import type { Returned } from '../../admission/published.ts';
import type { Now, Sleep } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { type StoredEvent, storedEventOf } from '../../kernel/events.ts';
import type { Decision } from '../domain/decide.ts';
import { fold, type Order, type OrderEvent } from '../domain/order.ts';

/** The order's events, and the one way to add to them. */
export interface EventStore {
  /** All events of the order in sequence, read consistently; empty when there is no such order. */
  load(orderId: string): Promise<readonly OrderEvent[]>;
  /**
   * Appends all of `events` or none, and gives `release` back in the same transaction; `returned` to the limits that
   * drops set their shoppers.
   * `conflict`: somebody else has appended since, or is about to; load and decide again.
   */
  append(
    events: readonly OrderEvent[],
    release: readonly { sku: string; shard: number; quantity: number }[],
    returned: readonly Returned[],
  ): Promise<'appended' | 'conflict'>;
}

export interface ChangePorts {
  readonly store: EventStore;
  readonly now: Now;
  readonly sleep: Sleep;
  /** From 0 to below 1. */
  readonly random: () => number;
}

const attempts = 12;

/**
 * Loads, decides and appends; again when somebody else was faster. `decide` must answer no events once its
 * purpose is there: an append that took effect and lost its answer is met again as a conflict.
 * @returns the order with what was appended; undefined when there is no such order
 * @throws what `decide` throws; DomainError `temporary-reduced-capacity` when others keep being faster
 */
export async function changeOrder(
  ports: ChangePorts,
  orderId: string,
  decide: (order: Order) => Decision,
): Promise<Order | undefined> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const stored = await ports.store.load(orderId);
    if (stored.length === 0) return undefined;
    const order = fold(stored);
    const decision = decide(order);
    if (decision.events.length === 0) return order;
    const appended = sequence(order, decision, ports.now());
    const result = await ports.store.append(
      appended,
      decision.release ? order.placed.draws : [],
      decision.release ? returnedBy(order) : [],
    );
    if (result === 'appended') return fold([...stored, ...appended]);
    await ports.sleep(Math.min(400, 5 * 2 ** attempt) * (0.5 + ports.random()));
  }
  throw new DomainError('temporary-reduced-capacity', 'The order is being changed. Please try again.');
}

function returnedBy({ placed: { customerId, admissions = [] } }: Order): readonly Returned[] {
  return admissions.map(({ dropId, units }) => ({ dropId, customerId, units }));
}

function sequence(order: Order, { events }: Decision, now: number): readonly OrderEvent[] {
  return events.map(({ contract, body, confidential }, index) => {
    const event: StoredEvent = storedEventOf(contract, {
      orderId: order.id,
      seq: order.version + 1 + index,
      at: now,
      traceparent: order.traceparent,
      body,
    });
    return confidential ? { ...event, confidential } : event;
  });
}
