import { describe, expect, it } from 'vitest';
import {
  criteriaOf,
  disorderedHistories,
  inconsistentPrices,
  type Observations,
  partialCheckouts,
  salesOfReplaced,
  wrongDashboard,
} from '../../../bench/load/criteria.ts';

const write = (price: number, from: number, until: number) => ({ sku: 'a', price, from, until });
const read = (price: number, from: number, until: number, session = 1) => ({
  sku: 'a',
  price,
  from,
  until,
  session,
});
/** Set at 0, changed between 100 and 110, and again between 200 and 210. */
const writes = [write(1_000, 0, 5), write(1_200, 100, 110), write(900, 200, 210)];

describe('prices in carts', () => {
  it('are those of a moment within the read', () => {
    const reads = [
      read(1_000, 10, 20, 1),
      read(1_000, 90, 105, 2),
      read(1_200, 90, 105, 3),
      // Begun before the change was told: either.
      read(1_000, 105, 130, 4),
      read(1_200, 111, 120, 5),
      read(900, 150, 205, 6),
    ];
    expect(inconsistentPrices({ writes, reads })).toEqual([]);
  });

  it.each([
    ['an old one after the change was told', read(1_000, 111, 120)],
    ['one that is not set yet', read(900, 111, 120)],
    ['one that nobody set', read(1_234, 10, 20)],
    ['two changes ago', read(1_000, 211, 220)],
  ])('are never %s', (_, wrong) => {
    expect(inconsistentPrices({ writes, reads: [wrong] })).toHaveLength(1);
  });

  it('do not go back within a visit, even while a change is under way', () => {
    const slow = [write(1_000, 0, 5), write(1_200, 100, 300)];
    const there = [read(1_000, 110, 120), read(1_200, 130, 140)];
    expect(inconsistentPrices({ writes: slow, reads: there })).toEqual([]);
    const andBack = [read(1_200, 110, 120), read(1_000, 130, 140)];
    expect(inconsistentPrices({ writes: slow, reads: andBack })).toHaveLength(1);
    const another = [read(1_200, 110, 120, 1), read(1_000, 130, 140, 2)];
    expect(inconsistentPrices({ writes: slow, reads: another })).toEqual([]);
  });
});

describe('a checkout', () => {
  const asked = [
    { sku: 'a', quantity: 2 },
    { sku: 'b', quantity: 1 },
  ];
  const checkout = (placed: typeof asked | undefined) => ({ asked, placed, from: 0, until: 1 });

  it('is whole or nothing', () => {
    expect(partialCheckouts({ checkouts: [checkout(undefined), checkout([...asked].reverse())] })).toEqual(
      [],
    );
    expect(partialCheckouts({ checkouts: [checkout(asked.slice(1))] })).toHaveLength(1);
    expect(partialCheckouts({ checkouts: [checkout([{ sku: 'a', quantity: 1 }, asked[1]!])] })).toHaveLength(
      1,
    );
  });

  it('sells nothing that was replaced before it began', () => {
    const replacements = [{ sku: 'b', from: 50, until: 60 }];
    const at = (from: number) => ({ ...checkout(asked), from, until: from + 20 });
    expect(salesOfReplaced({ replacements, checkouts: [at(40), at(55), at(60)] })).toEqual([]);
    expect(salesOfReplaced({ replacements, checkouts: [at(61)] })).toHaveLength(1);
    expect(salesOfReplaced({ replacements, checkouts: [{ ...at(61), placed: undefined }] })).toEqual([]);
  });
});

describe('a history', () => {
  const at = (second: number) => new Date(second * 1_000).toISOString();
  const event = (seq: number, type: string, second = seq) => ({ seq, type, at: at(second) });
  const whole = [
    event(1, 'order.placed'),
    event(2, 'capture.requested'),
    event(3, 'payment.hinted'),
    event(4, 'payment.captured'),
    event(5, 'order.fulfilled'),
  ];

  it('has every number, goes forward, and has its steps in order', () => {
    expect(disorderedHistories({ histories: [{ orderId: 'ord_1', events: whole }] })).toEqual([]);
  });

  it.each([
    ['a gap', whole.filter(({ seq }) => seq !== 3)],
    ['a step back in time', whole.with(3, event(4, 'payment.captured', 1))],
    [
      'steps in disorder',
      [event(1, 'order.placed'), event(2, 'order.fulfilled'), event(3, 'payment.captured')],
    ],
    ['a step twice', [...whole, event(6, 'order.fulfilled')]],
  ])('is told from one with %s', (_, events) => {
    expect(disorderedHistories({ histories: [{ orderId: 'ord_1', events }] })).toHaveLength(1);
  });
});

describe('the dashboard', () => {
  const events = ['order.placed', 'capture.requested', 'payment.captured', 'order.fulfilled'].map(
    (type, index) => ({
      seq: index + 1,
      type,
    }),
  );
  const entry = { orderId: 'ord_1', status: 'paid', total: 10, seq: 3, order: { total: 10, events } };
  const sums = { paid: { orders: 1, total: 10 } };

  it('is behind by whole events only', () => {
    const dashboard = [
      entry,
      { ...entry, seq: 2, status: 'placed' },
      { ...entry, seq: 4, status: 'fulfilled' },
    ];
    expect(wrongDashboard({ dashboard, sums: { dashboard: sums, orders: sums } })).toEqual([]);
  });

  it.each([
    ['a status that the order did not have then', { ...entry, status: 'placed' }],
    ['a status that it had later', { ...entry, status: 'fulfilled' }],
    ['another total', { ...entry, total: 11 }],
    ['an event that there is not', { ...entry, seq: 5 }],
  ])('never shows %s', (_, wrong) => {
    expect(wrongDashboard({ dashboard: [wrong], sums: undefined })).toHaveLength(1);
  });

  it('sums up to the orders', () => {
    const other = { paid: { orders: 2, total: 20 } };
    expect(wrongDashboard({ dashboard: [], sums: { dashboard: sums, orders: other } })).toHaveLength(1);
    expect(wrongDashboard({ dashboard: [], sums: { dashboard: {}, orders: sums } })).toHaveLength(1);
  });
});

it('holds each criterion by itself, and says nothing of what did not come to pass', () => {
  const nothing: Observations = {
    writes: [],
    reads: [],
    checkouts: [],
    replacements: [],
    histories: [],
    dashboard: [],
    sums: undefined,
  };
  expect(criteriaOf(nothing).map(({ holds }) => holds)).toEqual(Array(5).fill(undefined));
  const seen = { ...nothing, reads: [read(1, 0, 1)], replacements: [{ sku: 'a', from: 0, until: 1 }] };
  expect(criteriaOf(seen).map(({ holds }) => holds)).toEqual([undefined, false, true, undefined, undefined]);
});
