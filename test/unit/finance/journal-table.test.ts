import { ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { addEntry, entriesOf as readEntries } from '../../../functions/finance/adapters/journal-table.ts';
import { postEntry } from '../../../functions/finance/app/post-entry.ts';
import { financeTable } from '../../../functions/finance/table.infra.ts';
import type { Received } from '../../../functions/kernel/events.ts';
import type { paymentCaptured, refundCompleted } from '../../../functions/order/contract.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { capturedOf, refundsOf, type Sale, totalOf } from './sales.ts';

let dynamo: TestDynamo | undefined;
beforeAll(async () => {
  dynamo = await startDynamo(financeTable);
});
afterAll(() => dynamo?.stop());

const table = () => [dynamo!.documents, dynamo!.table('finance')] as const;
const post = (event: unknown) =>
  postEntry({ timeZone: 'Asia/Seoul', add: addEntry(...table()) })(
    event as Received<typeof paymentCaptured> | Received<typeof refundCompleted>,
  );
const captured = (sale: Sale) => ({ type: 'payment.captured', ...capturedOf(sale) });
const refunded = (sale: Sale) =>
  refundsOf(sale, [totalOf(sale)]).map((event) => ({ type: 'refund.completed', ...event }));

function saleAt(orderId: string, at: string): Sale {
  return {
    orderId,
    at,
    currency: 'KRW',
    subtotal: 45_000,
    discount: 0,
    shipping: 3_000,
    tax: 4_090,
    taxIncluded: true,
  };
}

test('however often, late and in whatever order events come, each is booked once', async () => {
  const sales = Array.from({ length: 40 }, (_, i) => saleAt(`ord_R${i}`, '2026-11-22T03:00:00.000Z'));
  const events = sales.flatMap((sale) => [...refunded(sale), captured(sale)]);
  await Promise.all([...events, ...events].map(post));
  for (const event of events.slice(0, 10)) await post(event);

  const entries = await readEntries(...table())('2026-11-22');
  expect(entries.map(({ eventId }) => eventId).sort()).toEqual(events.map(({ id }) => id).sort());
});

test('a replay leaves every item as it is', async () => {
  const event = captured(saleAt('ord_S1', '2026-11-20T03:00:00.000Z'));
  await post(event);
  const before = await items();
  await post({ ...event, replayed: true });
  expect(await items()).toEqual(before);
});

test('what is booked is never overwritten, should its event ever come with other amounts', async () => {
  const sale = saleAt('ord_V1', '2026-11-19T03:00:00.000Z');
  await post(captured(sale));
  const before = await items();
  await post(captured({ ...sale, subtotal: 1_000, tax: 90 }));
  expect(await items()).toEqual(before);
});

test('the date of an event is its own, not that of its arrival', async () => {
  await post(captured(saleAt('ord_T1', '2026-10-31T14:59:59.999Z')));
  await post(captured(saleAt('ord_T2', '2026-10-31T15:00:00.000Z')));
  const orders = async (date: string) => (await readEntries(...table())(date)).map(({ orderId }) => orderId);
  expect(await orders('2026-10-31')).toEqual(['ord_T1']);
  expect(await orders('2026-11-01')).toEqual(['ord_T2']);
});

test('an entry comes back as it was posted', async () => {
  await post(captured(saleAt('ord_U1', '2026-09-01T03:00:00.000Z')));
  expect(await readEntries(...table())('2026-09-01')).toEqual([
    {
      entryId: 'jrn_U1-3',
      eventId: 'evt_U1-3',
      orderId: 'ord_U1',
      reference: 'ord_U1-1',
      occurredAt: '2026-09-01T03:00:00.000Z',
      businessDate: '2026-09-01',
      postings: [
        { kind: 'capture', account: 'payment-clearing', debit: 48_000, credit: 0, currency: 'KRW' },
        { kind: 'sale', account: 'sales', debit: 0, credit: 40_910, currency: 'KRW' },
        { kind: 'tax', account: 'tax-payable', debit: 0, credit: 4_090, currency: 'KRW' },
        { kind: 'shipping', account: 'shipping-income', debit: 0, credit: 3_000, currency: 'KRW' },
      ],
    },
  ]);
});

async function items() {
  const { Items = [] } = await dynamo!.documents.send(
    new ScanCommand({ TableName: dynamo!.table('finance') }),
  );
  return Items.toSorted((a, b) => (`${a.pk}${a.sk}` < `${b.pk}${b.sk}` ? -1 : 1));
}
