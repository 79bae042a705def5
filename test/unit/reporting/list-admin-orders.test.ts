import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addFacts, placedOrders } from '../../../functions/reporting/adapters/row-table.ts';
import { followOrder } from '../../../functions/reporting/app/follow-order.ts';
import { listAdminOrders } from '../../../functions/reporting/app/list-admin-orders.ts';
import { followedEvents } from '../../../functions/reporting/contract.ts';
import { reportingTable } from '../../../functions/reporting/table.infra.ts';
import { generatedOrder } from '../../../scripts/rebuild/generated-orders.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { received } from './received.ts';

const count = 64;
const orders = Array.from({ length: count }, (_, number) => generatedOrder(number));
const newestFirst = orders.map((events) => events[0]!).reverse();

let dynamo: TestDynamo | undefined;
let list: ReturnType<typeof listAdminOrders>;

beforeAll(async () => {
  dynamo = await startDynamo(reportingTable);
  const table = [dynamo.documents, dynamo.table('reporting')] as const;
  const follow = followOrder({ addFacts: addFacts(...table) });
  list = listAdminOrders(placedOrders(...table));
  // Backwards, and the last event of each twice.
  for (const events of orders) {
    for (const event of [...events, events.at(-1)!].reverse()) await follow(received(followedEvents, event));
  }
});
afterAll(() => dynamo?.stop());

async function allPages(query: Omit<Parameters<typeof list>[0], 'cursor'>) {
  const pages: Awaited<ReturnType<typeof list>>[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await list({ ...query, cursor });
    pages.push(page);
    cursor = page.next;
    if (cursor === undefined) return pages;
  }
}
const idsOf = (pages: Awaited<ReturnType<typeof allPages>>) =>
  pages.flatMap(({ items }) => items.map(({ id }) => id));

describe('the operators’ list', () => {
  it.each([1, 7, 63, 64, 100])('shows every order once, newest first, in pages of %i', async (limit) => {
    const pages = await allPages({ limit });
    expect(idsOf(pages)).toEqual(newestFirst.map(({ orderId }) => orderId));
    expect(pages.slice(0, -1).every(({ items }) => items.length === limit)).toBe(true);
  });

  it('shows the orders with a status', async () => {
    const pages = await allPages({ limit: 3, status: 'expired' });
    const expired = orders.filter((events) => events.at(-1)!.type === 'order.expired').reverse();
    expect(expired.length).toBeGreaterThan(3);
    expect(idsOf(pages)).toEqual(expired.map((events) => events[0]!.orderId));
    expect(pages.flatMap(({ items }) => items).every(({ status }) => status === 'expired')).toBe(true);
  });

  it('shows the orders of a time, the first moment included and the last not', async () => {
    const [from, to] = [newestFirst[40]!.at, newestFirst[10]!.at];
    expect(idsOf(await allPages({ limit: 7, from, to }))).toEqual(
      newestFirst.slice(11, 41).map(({ orderId }) => orderId),
    );
    expect(idsOf(await allPages({ limit: 7, from: to, to: from }))).toEqual([]);
    // Without milliseconds it is the same moment.
    expect(idsOf(await allPages({ limit: 100, from: '2026-03-28T00:00:00Z' }))).toHaveLength(count);
  });

  it('goes on where it was when newer orders have come', async () => {
    const first = await list({ limit: 5, to: newestFirst[9]!.at });
    const whole = await list({ limit: 5, to: newestFirst[9]!.at, cursor: first.next });
    expect(whole.items.map(({ id }) => id)).toEqual(newestFirst.slice(15, 20).map(({ orderId }) => orderId));
  });

  it('takes no cursor of another list, nor one that is made up', async () => {
    const { next } = await list({ limit: 5 });
    const invalid = expect.objectContaining({ code: 'invalid-cursor' });
    await expect(list({ limit: 5, cursor: next, status: 'paid' })).rejects.toEqual(invalid);
    const [mark] = JSON.parse(Buffer.from(next!, 'base64url').toString());
    const forged = (position: unknown) => Buffer.from(JSON.stringify([mark, position])).toString('base64url');
    for (const position of [null, 7, '', '~', 'x#ord_1']) {
      await expect(list({ limit: 5, cursor: forged(position) })).rejects.toEqual(invalid);
    }
  });

  it('answers a short page with a next one when it has looked at enough', async () => {
    const placings = Array.from({ length: 1_500 }, (_, number) => `2026-01-01T00:00:00.000Z#ord_${number}`)
      .sort()
      .reverse();
    const [row] = (await list({ limit: 1 })).items;
    const long = listAdminOrders({
      newest: async ({ before }, limit) => placings.filter((placing) => placing < before).slice(0, limit),
      rows: async (page) =>
        page.map((placing) => ({
          placing,
          row: { ...row!, status: placing === placings.at(-1) ? ('expired' as const) : ('paid' as const) },
        })),
    });
    const first = await long({ limit: 5, status: 'expired' });
    expect(first.items).toEqual([]);
    const second = await long({ limit: 5, status: 'expired', cursor: first.next });
    expect(second.items).toHaveLength(1);
    expect(second.next).toBeUndefined();
  });

  it('keeps an order in one write unit: at most 1 KB', async () => {
    const { Items = [] } = await dynamo!.documents.send(
      new ScanCommand({ TableName: dynamo!.table('reporting') }),
    );
    expect(Items).toHaveLength(count);
    const sizes = Items.map((item) => JSON.stringify(item).length);
    expect(Math.max(...sizes)).toBeLessThan(1_024);
  });
});
