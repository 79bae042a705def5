import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, QueryCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dynamoBook } from '../../../functions/sandbox/adapters/dynamo-book.ts';
import type { Book, KeptAnswer } from '../../../functions/sandbox/domain/book.ts';
import { authorise, capture } from '../../../functions/sandbox/domain/charge.ts';
import type { PaymentKey } from '../../../functions/sandbox/domain/payment-key.ts';
import { sandboxTable } from '../../../functions/sandbox/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { sandboxOn } from './sandbox-client.ts';

let dynamo: TestDynamo;
let book: Book;
let now = Date.parse('2026-11-22T10:00:00Z');
beforeAll(async () => {
  dynamo = await startDynamo(sandboxTable);
  book = dynamoBook(dynamo.documents, dynamo.table('sandbox'), () => now);
});
afterAll(() => dynamo?.stop());

const kept: KeptAnswer = { fingerprint: 'f', status: 201, body: '{}' };
const charge = (reference: string) =>
  authorise(undefined, { reference, amount: 1000, currency: 'USD', token: 'tok_approve' }, now);
const times = <T>(count: number, run: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => run(index)));

describe('the book in DynamoDB', () => {
  it('gives back what was committed', async () => {
    const line = charge('ord_Back-1');
    expect(await book.commit('back', kept, line)).toBe(true);
    expect(await book.charge(line.id)).toEqual({ ...line, reason: undefined });
    expect(await book.answer('back')).toMatchObject(kept);
    expect(await book.charge('aut_nothing')).toBeUndefined();
    expect(await book.answer('nothing')).toBeUndefined();
  });

  it('writes neither charge nor answer when one of them has moved', async () => {
    const line = charge('ord_Moved-1');
    await book.commit('moved-1', kept, line);
    expect(await book.commit('moved-2', kept, line)).toBe(false);
    expect(await book.answer('moved-2')).toBeUndefined();
    expect(await book.commit('moved-1', kept, capture(line, 1, now))).toBe(false);
    expect((await book.charge(line.id))?.state).toBe('authorized');
    expect(await book.commit('moved-1', kept)).toBe(false);
  });

  it('forgets an answer after 24 hours', async () => {
    await book.commit('old', kept);
    const then = now;
    now += 24 * 60 * 60 * 1000;
    expect(await book.answer('old')).toBeUndefined();
    expect(await book.commit('old', { ...kept, status: 409 })).toBe(true);
    expect(await book.answer('old')).toMatchObject({ status: 409 });
    now = then;
  });

  it('pages through all charges, kept answers between them or not', async () => {
    const references = Array.from({ length: 7 }, (_, n) => `ord_Page${n}-1`);
    for (const reference of references) await book.commit(reference, kept, charge(reference));
    const listed: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 50; page++) {
      const { charges, next } = await book.page(3, cursor);
      expect(charges.length).toBeLessThanOrEqual(3);
      listed.push(...charges.map((line) => line.reference));
      cursor = next;
      if (!cursor) break;
    }
    expect(cursor).toBeUndefined();
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed).toEqual(expect.arrayContaining(references));
  });

  it('answers a cursor of another list with 400', async () => {
    expect((await sandboxOn(book).get('/charges?cursor=bm90aGluZw')).status).toBe(400);
  });
});

describe('what is written with a change', () => {
  it('is the webhook that is due for it, once', async () => {
    const line = charge('ord_Outbox-1');
    await book.commit('outbox', kept, line);
    await book.commit('outbox-2', kept, capture(line, 1000, now));
    const { Items = [] } = await dynamo.documents.send(
      new QueryCommand({
        TableName: dynamo.table('sandbox'),
        KeyConditionExpression: 'pk = :pk AND begins_with(sk, :event)',
        ExpressionAttributeValues: { ':pk': `CHARGE#${line.id}`, ':event': 'EVENT#' },
      }),
    );
    expect(Items.map(({ body }) => JSON.parse(body))).toEqual(
      [1, 2].map((change) => ({ chargeId: line.id, reference: 'ord_Outbox-1', change })),
    );
    expect(new Set(Items.map(({ id }) => id)).size).toBe(2);
  });

  it('is the use of the payment key: a second use writes nothing', async () => {
    const paymentKey: PaymentKey = {
      id: 'pmk_1',
      orderId: 'ord_Key',
      amount: 1000,
      currency: 'USD',
      token: 'tok_approve',
      madeAt: new Date(now).toISOString(),
    };
    await book.offer(paymentKey);
    const use = (reference: string) =>
      book.commit(reference, kept, charge(reference), { ...paymentKey, usedFor: reference });
    expect(await use('ord_Key-1')).toBe(true);
    expect(await use('ord_Key-2')).toBe(false);
    expect(await book.charge(charge('ord_Key-2').id)).toBeUndefined();
    expect(await book.paymentKey('pmk_1')).toMatchObject({ usedFor: 'ord_Key-1' });
  });

  it('is nothing else for a call that is only noted', async () => {
    const line = charge('ord_Noted-1');
    await book.commit('noted', kept, line);
    const after = { ...line, failedCaptures: 1, version: 2 };
    expect(await book.note(after)).toBe(true);
    expect(await book.note(after)).toBe(false);
    expect(await book.charge(line.id)).toMatchObject({ failedCaptures: 1, version: 2 });
  });
});

describe('a write that fails', () => {
  const failing = (error: Error) =>
    dynamoBook(
      { send: () => Promise.reject(error) } as unknown as DynamoDBDocumentClient,
      'table',
      () => now,
    );
  const cancelled = (...codes: string[]) =>
    new TransactionCanceledException({
      message: 'cancelled',
      $metadata: {},
      CancellationReasons: codes.map((Code) => ({ Code })),
    });
  const named = (name: string) => Object.assign(new Error(name), { name });

  it.each([
    cancelled('TransactionConflict', 'None'),
    cancelled('None', 'ConditionalCheckFailed'),
    named('TransactionConflictException'),
    named('TransactionInProgressException'),
    named('ConditionalCheckFailedException'),
  ])('because another was faster may be tried again: %s', async (error) => {
    expect(await failing(error).commit('k', kept, charge('ord_A-1'))).toBe(false);
  });

  it.each([cancelled('ThrottlingError', 'None'), named('ProvisionedThroughputExceededException')])(
    'for another reason is an error: %s',
    async (error) => {
      await expect(failing(error).commit('k', kept, charge('ord_A-1'))).rejects.toBe(error);
    },
  );
});

describe('parallel calls on one charge', () => {
  it('capture once, of 12 with keys of their own', async () => {
    const sandbox = sandboxOn(book);
    const { id } = (await sandbox.authorise('ord_Captures-1')).body;
    const answers = await times(12, () => sandbox.post(`/authorizations/${id}/captures`, { amount: 1000 }));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(11).fill(409)]);
  });

  it('either capture or void', async () => {
    const sandbox = sandboxOn(book);
    for (let round = 0; round < 5; round++) {
      const { id } = (await sandbox.authorise(`ord_Either${round}-1`)).body;
      const answers = await times(6, (index) => {
        const action = index % 2 === 0 ? 'captures' : 'voids';
        const body = action === 'captures' ? { amount: 1000 } : {};
        return sandbox.post(`/authorizations/${id}/${action}`, body);
      });
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 409)).toHaveLength(5);
    }
  });

  it('refund no more than was captured: 8 of 300 out of 1000', async () => {
    const sandbox = sandboxOn(book);
    const { id } = (await sandbox.authorise('ord_Refunds-1')).body;
    const { captureId } = (await sandbox.post(`/authorizations/${id}/captures`, { amount: 1000 })).body;
    const answers = await times(8, (index) =>
      sandbox.post(`/captures/${captureId}/refunds`, { amount: 300, reference: `rfd_${index}` }),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, ...Array(5).fill(422)]);
    const after = (await sandbox.get(`/authorizations/${id}`)).body;
    expect(after.refunded.amount).toBe(900);
    expect(after.refunds).toHaveLength(3);
  });

  it('with one key have one effect and one answer', async () => {
    const sandbox = sandboxOn(book);
    const wanted = {
      reference: 'ord_Same-1',
      amount: 5,
      currency: 'KRW',
      method: 'card',
      token: 'tok_approve',
    };
    const answers = await times(12, () => sandbox.post('/authorizations', wanted, 'same'));
    expect(new Set(answers.map(({ status, body }) => JSON.stringify([status, body])))).toHaveLength(1);
    expect(answers[0]?.status).toBe(201);
  });
});
