import { describe, expect, it } from 'vitest';
import { type DropFacts, dropChecks } from '../../../bench/load/drop-checks.ts';
import { Histogram } from '../../../bench/load/histogram.ts';
import { type Facts, invariantsOf } from '../../../bench/load/invariants.ts';
import type { Second } from '../../../bench/load/recorder.ts';
import { judgeSurge, recoveredAfter } from '../../../bench/load/surge-judgement.ts';

const lines = [{ sku: 'a', quantity: 2 }];
const order = { id: 'ord_1', status: 'paid', total: 10, captured: 10, refunded: 0, lines };
const charge = { orderId: 'ord_1', status: 'captured', amount: { amount: 10 }, refunded: 0 };
const good: Facts = {
  accepted: [{ id: 'ord_1', token: 't', lines }],
  orders: [order],
  stock: [{ sku: 'a', before: 5, after: 3 }],
  book: [charge],
};
const broken = (facts: Partial<Facts>) =>
  invariantsOf({ ...good, ...facts })
    .map(({ holds }, index) => (holds === false ? index : -1))
    .filter((index) => index >= 0);

describe('invariants', () => {
  it('hold, and say when the book cannot be read', () => {
    expect(broken({})).toEqual([]);
    expect(invariantsOf({ ...good, book: undefined }).at(-1)!.holds).toBeUndefined();
  });

  it.each([
    ['an order that is lost', { orders: [], book: [], stock: [{ sku: 'a', before: 5, after: 5 }] }, [0]],
    ['an order that has not ended', { orders: [{ ...order, status: 'placed', captured: 0 }], book: [] }, [0]],
    ['units that nobody has', { stock: [{ sku: 'a', before: 5, after: 2 }] }, [1]],
    ['units that were not taken', { stock: [{ sku: 'a', before: 5, after: 4 }] }, [1]],
    ['stock below zero', { stock: [{ sku: 'a', before: 1, after: -1 }] }, [2]],
    ['a charge too many', { book: [charge, charge] }, [3]],
    ['a charge without an order', { book: [charge, { ...charge, orderId: 'ord_2' }] }, [3]],
    ['a paid order without a charge', { book: [] }, [3]],
    ['a charge of another amount', { book: [{ ...charge, amount: { amount: 9 } }] }, [3]],
  ] as const)('notice %s', (_, facts, checks) => {
    expect(broken(facts)).toEqual(checks);
  });
});

describe('a drop', () => {
  const facts: DropFacts = {
    units: 2,
    tickets: [
      { id: 'a', position: 1, arrivedAt: 1_000 },
      { id: 'b', position: 2, arrivedAt: 900 },
      { id: 'c', position: 3, arrivedAt: 9_000 },
    ],
    told: [{ by: 'order', from: 100, until: 200 }],
    gatecrashers: [403, 503],
    tabs: [1, 1],
    placed: [
      { units: 1, at: 50 },
      { units: 1, at: 150 },
    ],
  };
  const end = { shoppers: 3, ended: 3, sold: 2, unsold: 0, faults: 0, stockWritesPerSale: 1.1 };
  const wrong = (one: Partial<DropFacts>, other: Partial<typeof end> = {}) =>
    dropChecks({ ...facts, ...one }, { ...end, ...other })
      .filter(({ holds }) => holds === false)
      .map(({ name }) => name);

  it('shows what it must', () => {
    expect(wrong({})).toEqual([]);
  });

  it.each([
    ['a unit too many', {}, { sold: 3 }, /oversold/],
    ['a unit that is left', {}, { sold: 1, unsold: 1 }, /unsold/],
    [
      '"sold out" while a unit was free',
      { told: [{ by: 'order' as const, from: 100, until: 149 }] },
      {},
      /false/,
    ],
    ['"sold out" and nothing ever was', { placed: [{ units: 1, at: 50 }] }, {}, /false/],
    ['somebody without an answer', {}, { ended: 2 }, /end/],
    ['a fault', {}, { faults: 1 }, /5xx/],
    ['too many writes', {}, { stockWritesPerSale: 1.31 }, /writes/],
    [
      'a place twice',
      { tickets: [...facts.tickets, { id: 'd', position: 3, arrivedAt: 9_000 }] },
      {},
      /queue/,
    ],
    [
      'a place before those who came earlier',
      { tickets: [...facts.tickets, { id: 'd', position: 4, arrivedAt: 0 }] },
      {},
      /queue/,
    ],
    ['a sale without an admission', { gatecrashers: [201] }, {}, /admission/],
    ['two tickets for two tabs', { tabs: [2] }, {}, /tabs/],
  ])('notices %s', (_, one, other, name) => {
    expect(wrong(one, other)).toEqual([expect.stringMatching(name)]);
  });
});

describe('a surge', () => {
  const second = (started: number, goodput: number, shed = 0): Second => ({
    started,
    goodput,
    counts: { accepted: goodput, refused: 0, shed, failed: 0 },
    latency: new Histogram(),
  });
  const run = (crowd: Second, after: readonly Second[]) => [
    ...Array.from({ length: 10 }, () => second(50, 48)),
    ...Array.from({ length: 10 }, () => crowd),
    ...after,
  ];
  const calm = (length: number) => Array.from({ length }, () => second(25, 25));
  const judge = (seconds: readonly Second[]) =>
    judgeSurge(
      seconds,
      [{ rate: 50, from: 0, seconds: 10 }],
      { rate: 500, from: 10, seconds: 10 },
      { rate: 25, from: 20, seconds: 60 },
    ).checks.map(({ holds }) => holds);

  it('holds its goodput and is over soon', () => {
    expect(judge(run(second(500, 45, 455), calm(60)))).toEqual([true, true]);
  });

  it('does not when goodput collapses, or shedding goes on', () => {
    expect(judge(run(second(500, 30, 470), calm(60)))).toEqual([false, true]);
    expect(
      judge(
        run(
          second(500, 45, 455),
          Array.from({ length: 60 }, () => second(25, 10, 15)),
        ),
      ),
    ).toEqual([true, false]);
  });

  it('is over when normal seconds begin', () => {
    const backlog = Array.from({ length: 7 }, () => second(25, 5, 20));
    expect(recoveredAfter([...backlog, ...calm(10)], 25)).toBe(7);
    expect(recoveredAfter(backlog, 25)).toBeUndefined();
  });
});
