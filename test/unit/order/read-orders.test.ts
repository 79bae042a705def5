import { expect, it } from 'vitest';
import { encodeCursor } from '../../../functions/kernel/cursor.ts';
import { listOwnOrders } from '../../../functions/order/app/read-orders.ts';
import { placedEvent } from './given.ts';

const event = placedEvent();
const position = [`${event.at}#${event.orderId}`, event.orderId] as const;
const page = (cursor?: string) =>
  listOwnOrders(
    {
      load: async () => [event],
      listIds: async (_customer, _limit, after) => ({
        ids: [event.orderId],
        next: after ? undefined : position,
      }),
    },
    'customer-1',
    { limit: 1, cursor },
  );
const cursorTo = (made: unknown) => encodeCursor(made, ['listOrders', 'customer-1']);

it('goes on from its own cursor', async () => {
  const { next } = await page();
  expect((await page(next)).items).toHaveLength(1);
});

it.each([
  ['a longer key than the database takes', ['x'.repeat(1_100), event.orderId]],
  ['an order that cannot be', [position[0], 'x'.repeat(1_400)]],
  ['no key', ['', event.orderId]],
  ['something else', 7],
])('refuses a cursor that was made up: %s', async (_, made) => {
  await expect(page(cursorTo(made))).rejects.toMatchObject({ code: 'invalid-cursor' });
});
