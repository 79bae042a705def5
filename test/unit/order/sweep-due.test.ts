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
  await expect(sweep()).rejects.toThrow('1 due orders or buckets could not be looked at');
  const left = [...logs].filter(([, events]) => fold(events).status === 'placed').map(([id]) => id);
  expect(left).toEqual([stuck]);
  expect(moved).toHaveLength(dueBuckets - 1);
  expect(moved).not.toContain(7);
});

it('sweeps the other buckets when one cannot be read, and keeps the mark of one that took long at once', async () => {
  const swept: string[] = [];
  const moves: (readonly number[])[] = [];
  const sweep = sweepDue({
    store: {
      load: async (orderId) => {
        swept.push(orderId);
        return [];
      },
      append: async () => 'appended',
    },
    now: () => noon,
    sleep: async () => {},
    random: () => 0.5,
    due: {
      sweptTo: async () => new Map(),
      dueBetween: async (bucket) => {
        if (bucket === 3) throw new Error('not now');
        if (bucket === 5) return Array.from({ length: 100 }, (_, n) => `ord_5x${n}`);
        return [`ord_${bucket}`];
      },
      waiting: async () => [],
      keep: async () => {},
      forget: async () => {},
      moveTo: async (buckets) => void moves.push(buckets),
    },
  });
  await expect(sweep()).rejects.toThrow('1 due orders or buckets could not be looked at');
  expect(new Set(swept).size).toBe(dueBuckets - 2 + 100);
  expect(moves[0]).toEqual([5]);
  expect(moves.flat()).not.toContain(3);
  expect(new Set(moves.flat()).size).toBe(dueBuckets - 1);
});
