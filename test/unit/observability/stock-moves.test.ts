import { expect, it } from 'vitest';
import { decideCancellation } from '../../../functions/order/domain/decide.ts';
import { fold } from '../../../functions/order/domain/order.ts';
import { stockMovesAgree } from '../../../functions/order/domain/stock-moves.ts';
import { eventsOf, placedEvent } from '../order/given.ts';

const placed = placedEvent({ payment: false });
const order = fold([placed]);
const [cancelled] = eventsOf(order, decideCancellation(order, 'rfd_1'));

/** The event with something else in its body. */
const altered = <E extends { body: string }>(event: E, change: object): E => ({
  ...event,
  body: JSON.stringify({ ...JSON.parse(event.body), ...change }),
});
const draw = { sku: 'sku_a', shard: 0, quantity: 2 };

it('agree while an order keeps what it drew, and when it gives all of it back', () => {
  expect(stockMovesAgree([placed])).toBe(true);
  expect(stockMovesAgree([placed, cancelled!])).toBe(true);
  const gathered = [
    { ...draw, quantity: 1 },
    { ...draw, shard: 3, quantity: 1 },
  ];
  expect(
    stockMovesAgree([
      altered(placed, { draws: gathered }),
      altered(cancelled!, { released: gathered.toReversed() }),
    ]),
  ).toBe(true);
});

it.each([
  ['more was drawn than sold', [altered(placed, { draws: [{ ...draw, quantity: 3 }] })]],
  ['another SKU was drawn', [altered(placed, { draws: [{ ...draw, sku: 'sku_b' }] })]],
  ['it was given back twice', [placed, cancelled!, cancelled!]],
  ['less was given back', [placed, altered(cancelled!, { released: [{ ...draw, quantity: 1 }] })]],
  ['it went back to another shard', [placed, altered(cancelled!, { released: [{ ...draw, shard: 1 }] })]],
  ['nothing was given back at the end', [placed, altered(cancelled!, { released: [] })]],
])('contradict when %s', (_name, events) => {
  expect(stockMovesAgree(events)).toBe(false);
});
