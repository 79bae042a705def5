import { DeleteCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addEntry } from '../../../functions/finance/adapters/journal-table.ts';
import { postEntry } from '../../../functions/finance/app/post-entry.ts';
import { postedEvents } from '../../../functions/finance/domain/posted-events.ts';
import { entryKey } from '../../../functions/finance/keys.ts';
import { financeTable } from '../../../functions/finance/table.infra.ts';
import { dateIn } from '../../../functions/kernel/clock.ts';
import type { StoredEvent } from '../../../functions/kernel/events.ts';
import { mailLog } from '../../../functions/notification/adapters/mail-log.ts';
import { mailedEvents } from '../../../functions/notification/domain/mailed-events.ts';
import { mailKey } from '../../../functions/notification/keys.ts';
import { notificationTable } from '../../../functions/notification/table.infra.ts';
import { auditConsumers } from '../../../functions/order/adapters/audit-consumers.ts';
import { addFacts } from '../../../functions/reporting/adapters/row-table.ts';
import { followOrder } from '../../../functions/reporting/app/follow-order.ts';
import { followedEvents } from '../../../functions/reporting/contract.ts';
import { rowKey } from '../../../functions/reporting/keys.ts';
import { reportingTable } from '../../../functions/reporting/table.infra.ts';
import { generatedOrder } from '../../../scripts/rebuild/generated-orders.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { received } from '../reporting/received.ts';

const timeZone = 'Asia/Seoul';
// More orders than one BatchGetItem takes keys; every way in which an order ends is among them.
const orders = Array.from({ length: 128 }, (_, number) => generatedOrder(number));
const events = orders.flat();
const last = (type: string): StoredEvent => events.findLast((event) => event.type === type)!;

let dynamo: TestDynamo | undefined;
let missing: ReturnType<typeof auditConsumers>;
let tables: { readonly finance: string; readonly notification: string; readonly reporting: string };

beforeAll(async () => {
  dynamo = await startDynamo(financeTable, notificationTable, reportingTable);
  const { documents, table } = dynamo;
  tables = {
    finance: table('finance'),
    notification: table('notification'),
    reporting: table('reporting'),
  };
  missing = auditConsumers(documents, tables, timeZone);
  const post = postEntry({ timeZone, add: addEntry(documents, tables.finance) });
  const follow = followOrder({ addFacts: addFacts(documents, tables.reporting) });
  const mails = mailLog(documents, tables.notification);
  const isOneOf = (contracts: readonly { type: string }[], { type }: StoredEvent) =>
    contracts.some((contract) => contract.type === type);
  for (const event of events) {
    if (isOneOf(postedEvents, event)) await post(received(postedEvents, event) as never);
    if (isOneOf(mailedEvents, event)) {
      await mails.claim({ eventId: event.id, orderId: event.orderId, type: event.type }, 1_000, 1_060);
      await mails.markSent(event.id, 'message-1', 2_000);
    }
    await follow(received(followedEvents, event));
  }
});
afterAll(() => dynamo?.stop());

const remove = (TableName: string, Key: { pk: string; sk: string }) =>
  dynamo!.documents.send(new DeleteCommand({ TableName, Key }));

it('misses nothing that every consumer has taken in', async () => {
  expect(await missing(events)).toEqual({ any: [], unjournalled: [] });
});

it('misses what the journal has no entry of', async () => {
  const event = last('refund.completed');
  await remove(tables.finance, entryKey(dateIn(timeZone, event.at), event.id));
  expect(await missing(events)).toEqual({ any: [event], unjournalled: [event] });
  await postEntry({ timeZone, add: addEntry(dynamo!.documents, tables.finance) })(
    received(postedEvents, event) as never,
  );
});

it('misses what no e-mail was sent about', async () => {
  const event = last('order.expired');
  await remove(tables.notification, mailKey(event.id));
  expect(await missing(events)).toEqual({ any: [event], unjournalled: [] });
  await mailLog(dynamo!.documents, tables.notification).markSent(event.id, 'message-1', 2_000);
});

it('misses what the operators’ list has no fact of: one event, or all of an order', async () => {
  const event = last('payment.requested');
  await dynamo!.documents.send(
    new UpdateCommand({
      TableName: tables.reporting,
      Key: rowKey(event.orderId),
      UpdateExpression: `REMOVE fact${event.seq}`,
    }),
  );
  expect(await missing(events)).toEqual({ any: [event], unjournalled: [] });
  await remove(tables.reporting, rowKey(event.orderId));
  expect(await missing(events)).toEqual({
    any: events.filter(({ orderId }) => orderId === event.orderId),
    unjournalled: [],
  });
});
