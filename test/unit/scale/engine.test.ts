import { describe, expect, it } from 'vitest';
import { EventHeap, Random } from '../../../bench/scale/engine.ts';
import { Account, Bucket, Environments, Items, Throughput } from '../../../bench/scale/limits.ts';

describe('the event heap', () => {
  it('gives what is due first, and of equals what was put in first', () => {
    const random = new Random(7);
    const heap = new EventHeap(4);
    const put = Array.from({ length: 5_000 }, (_, subject) => ({ time: random.below(300), subject }));
    for (const { time, subject } of put) heap.put(time, 1, subject);
    const taken: { time: number; subject: number }[] = [];
    while (heap.take()) taken.push({ time: heap.time, subject: heap.subject });
    expect(taken).toEqual(put.toSorted((a, b) => a.time - b.time || a.subject - b.subject));
  });

  it('keeps its order while things are taken and put', () => {
    const random = new Random(8);
    const heap = new EventHeap(2);
    let last = 0;
    for (let index = 0; index < 20_000; index++) {
      heap.put(last + random.next(), 0, index);
      if (index % 3 === 0) continue;
      heap.take();
      expect(heap.time).toBeGreaterThanOrEqual(last);
      last = heap.time;
    }
  });
});

/** One server, Poisson arrivals, exponential service: the mean time in the system is 1 / (mu - lambda). */
it('foretells M/M/1', () => {
  const random = new Random(3);
  const heap = new EventHeap();
  const [lambda, mu, customers] = [7, 10, 200_000];
  const [comes, goes] = [0, 1];
  const cameAt = new Float64Array(customers);
  let waiting = 0;
  let next = 0;
  let head = 0;
  let sum = 0;
  heap.put(random.exponential(1 / lambda), comes, 0);
  while (heap.take()) {
    const { time, kind } = heap;
    if (kind === comes) {
      cameAt[next++] = time;
      if (waiting++ === 0) heap.put(time + random.exponential(1 / mu), goes, 0);
      if (next < customers) heap.put(time + random.exponential(1 / lambda), comes, 0);
    } else {
      sum += time - cameAt[head++]!;
      if (--waiting > 0) heap.put(time + random.exponential(1 / mu), goes, 0);
    }
  }
  expect(sum / customers).toBeCloseTo(1 / (mu - lambda), 1);
});

describe('conflicts on one item', () => {
  /** Poisson attempts of which those in another's window are lost: Erlang's loss of M/D/1/1, aW / (1 + aW). */
  it.each([20, 100, 400])('follow from %i attempts a second and 5 ms', (rate) => {
    const random = new Random(rate);
    const items = new Items(1);
    const held = 0.005;
    let [now, lost] = [0, 0];
    const attempts = 100_000;
    for (let index = 0; index < attempts; index++) {
      now += random.exponential(1 / rate);
      if (items.isHeld(0, now)) lost++;
      else items.hold(0, now + held);
    }
    expect(lost / attempts).toBeCloseTo((rate * held) / (1 + rate * held), 2);
  });
});

describe('a token bucket', () => {
  it('gives its burst at once and its rate from then on', () => {
    const bucket = new Bucket(10, 50);
    let given = 0;
    for (let step = 0; step < 10_000; step++) if (bucket.take(step / 1_000)) given++;
    expect(given).toBe(50 + 10 * 10 - 1);
  });

  it('takes all or nothing', () => {
    const bucket = new Bucket(10, 3);
    expect(bucket.take(0, 4)).toBe(false);
    expect(bucket.take(0, 3)).toBe(true);
    expect(bucket.has(0.1, 1)).toBe(true);
    expect(bucket.has(0.1, 2)).toBe(false);
  });

  it('makes those who wait come one after another', () => {
    const bucket = new Bucket(10, 1);
    expect([0, 0, 0].map((now) => bucket.wait(now))).toEqual([0, 0.1, 0.2]);
    expect(bucket.wait(1)).toBe(0);
  });

  it('never says no without a limit', () => {
    const bucket = new Bucket(Number.POSITIVE_INFINITY);
    for (let second = 0; second < 3; second++) expect(bucket.take(second, 1e9)).toBe(true);
  });
});

describe('a table', () => {
  it('has as many partitions as its throughput needs, and spreads keys over them', () => {
    const table = new Throughput(4_000, 40_000, 1_000);
    expect(table.partitions).toBe(4);
    let taken = 0;
    for (let key = 0; key < 10_000; key++) if (!table.take(0, key, 1)) taken++;
    expect(taken).toBe(4_000);
  });

  it('gives one key no more than its partition has', () => {
    const table = new Throughput(4_000, 40_000, 1_000);
    let taken = 0;
    for (let index = 0; index < 3_000; index++) if (!table.take(0, 5, 1)) taken++;
    expect(taken).toBe(1_000);
    expect(table.meets(0, 5, 1)).toBe('partition');
  });

  it('gives all keys together no more than its quota', () => {
    const table = new Throughput(10_000, 2_000, 1_000);
    let limit: string | undefined;
    let taken = 0;
    for (let key = 0; key < 5_000; key++) {
      limit = table.take(0, key, 1);
      if (!limit) taken++;
    }
    expect([taken, limit]).toEqual([2_000, 'table']);
  });

  it('takes nothing of what it refuses', () => {
    const table = new Throughput(1_000, 1_000, 1_000);
    expect(table.take(0, 0, 1_001)).toBe('partition');
    expect(table.take(0, 0, 1_000)).toBeUndefined();
  });
});

describe('execution environments', () => {
  it('are reused, made no faster than allowed, and no more than the account has', () => {
    const account = new Account(15);
    const functions = new Environments(account, 10);
    const first = functions.acquire(0);
    expect(first).toEqual({ id: 0, cold: true });
    functions.release(0);
    expect(functions.acquire(0)).toEqual({ id: 0, cold: false });
    for (let index = 0; index < 9; index++) functions.acquire(0);
    expect(functions.acquire(0)).toBe('scaling');
    const others = new Environments(account, 10);
    for (let index = 0; index < 5; index++) expect(others.acquire(0)).toMatchObject({ cold: true });
    expect(functions.acquire(10)).toBe('concurrency');
    functions.release(3);
    expect(others.acquire(0)).toMatchObject({ cold: true });
  });

  it('that stand ready are warm', () => {
    expect(new Environments(new Account(5), 10, 2).acquire(0)).toMatchObject({ cold: false });
  });
});
