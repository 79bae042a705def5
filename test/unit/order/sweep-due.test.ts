import { expect, it } from 'vitest';
import { sweepDue } from '../../../functions/order/app/sweep-due.ts';
import { fold, type OrderEvent } from '../../../functions/order/domain/order.ts';
import { dueBuckets } from '../../../functions/order/keys.ts';
import { noon, placedEvent } from './given.ts';

it('sweeps on past an order that cannot be ended, says so, and comes back to its bucket', async () => {
  const logs = new Map<string, OrderEvent[]>();
  const bucketOf = (id: string) => Number(id.slice(5)) % dueBuckets;
  for (let n = 0; n < 3 * dueBuckets; n++) {
    const orderId = `ord_O${n}`;
    logs.set(orderId, [placedEvent({ orderId, payment: false })]);
  }
  const stuck = 'ord_O7';
  const moved: number[] = [];
  const sweep = sweepDue({
    store: {
      load: async (orderId) => [...(logs.get(orderId) ?? [])],
      append: async (events) => {
        const orderId = events[0]!.orderId;
        if (orderId === stuck) return 'conflict';
        logs.get(orderId)!.push(...events);
        return 'appended';
      },
    },
    now: () => noon + 16 * 60_000,
    sleep: async () => {},
    random: () => 0.5,
    due: {
      sweptTo: async () => new Map(),
      dueBetween: async (bucket) => [...logs.keys()].filter((id) => bucketOf(id) === bucket),
      waiting: async () => [],
      keep: async () => {},
      forget: async () => {},
      moveTo: async (buckets) => void moved.push(...buckets),
    },
  });
  await expect(sweep()).rejects.toThrow('1 due orders could not be looked at');
  const left = [...logs].filter(([, events]) => fold(events).status === 'placed').map(([id]) => id);
  expect(left).toEqual([stuck]);
  expect(moved).toHaveLength(dueBuckets - 1);
  expect(moved).not.toContain(7);
});
