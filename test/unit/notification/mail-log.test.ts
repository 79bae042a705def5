import { GetCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mailLog } from '../../../functions/notification/adapters/mail-log.ts';
import type { Ports } from '../../../functions/notification/app/send-mail.ts';
import { mailKey } from '../../../functions/notification/keys.ts';
import { notificationTable } from '../../../functions/notification/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

let dynamo: TestDynamo | undefined;
let mails: Ports['mailLog'];
beforeAll(async () => {
  dynamo = await startDynamo(notificationTable);
  mails = mailLog(dynamo.documents, dynamo.table('notification'));
});
afterAll(() => dynamo?.stop());

const claimOf = (eventId: string) => ({ eventId, orderId: 'ord_A1', type: 'payment.captured' });
async function claimed(eventId: string, now: number): Promise<string> {
  const result = await mails.claim(claimOf(eventId), now, now + 60);
  if (result.state !== 'claimed') throw new Error(result.state);
  return result.owner;
}

test('of many claims at once, one wins', async () => {
  const results = await Promise.all(
    Array.from({ length: 20 }, () => mails.claim(claimOf('evt_race-1'), 1_000, 1_060)),
  );
  expect(results.filter(({ state }) => state === 'claimed')).toHaveLength(1);
  expect(results.filter(({ state }) => state === 'leased')).toHaveLength(19);
});

test('a lease holds until it has run out', async () => {
  await claimed('evt_lease-1', 1_000);
  expect(await mails.claim(claimOf('evt_lease-1'), 1_059, 1_119)).toEqual({ state: 'leased' });
  await claimed('evt_lease-1', 1_060);
});

test('a release ends the own lease, never that of who came after', async () => {
  const first = await claimed('evt_release-1', 1_000);
  await mails.release('evt_release-1', first);
  const second = await claimed('evt_release-1', 1_001);
  expect(second).not.toBe(first);
  await mails.release('evt_release-1', first);
  expect(await mails.claim(claimOf('evt_release-1'), 1_002, 1_062)).toEqual({ state: 'leased' });
});

test.each([
  ['sent', () => mails.markSent('evt_sent-1', 'message-1', 5_000), 'evt_sent-1'],
  ['no-recipient', () => mails.markNoRecipient('evt_none-1', 5_000), 'evt_none-1'],
])('%s is the end, also for a late release', async (state, mark, eventId) => {
  const owner = await claimed(eventId, 1_000);
  await mark();
  await mails.release(eventId, owner);
  expect(await mails.claim(claimOf(eventId), 999_999, 1_999_999)).toEqual({ state: 'done' });

  const { Item } = await dynamo!.documents.send(
    new GetCommand({ TableName: dynamo!.table('notification'), Key: mailKey(eventId) }),
  );
  expect(Item).toMatchObject({ state, orderId: 'ord_A1', settledAt: '1970-01-01T00:00:05.000Z' });
});
