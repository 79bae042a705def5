import {
  DynamoDBClient,
  TransactionCanceledException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { commitPlacement } from '../../../functions/order/adapters/placement.ts';
import { placedEvent } from './given.ts';

// What no DynamoDB can be made to do on demand: answers that a client meets after its own lost ones.
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'eu-west-1' }));
const dynamo = mockClient(documents);
const commit = commitPlacement(documents, {
  order: 'order',
  cart: 'cart',
  inventory: 'inventory',
  admission: 'admission',
});
const draws = [
  { sku: 'sku_a', shard: 0, quantity: 1 },
  { sku: 'sku_a', shard: 3, quantity: 2 },
];
const cart = { cartId: 'crt_1', version: 1 };
const metadata = { $metadata: {}, message: '' };
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({ ...metadata, CancellationReasons: codes.map((Code) => ({ Code })) });

beforeEach(() => dynamo.reset());

it('repeats a transaction that is still being worked on unchanged, with the same token', async () => {
  dynamo.on(TransactWriteCommand).rejectsOnce(new TransactionInProgressException(metadata)).resolves({});
  expect(await commit({ event: placedEvent(), draws, cart })).toEqual({ result: 'placed' });
  const [first, second] = dynamo.commandCalls(TransactWriteCommand).map(({ args }) => args[0].input);
  expect(first?.ClientRequestToken).toBeTruthy();
  expect(second).toEqual(first);
});

it('takes a new token for a new choice of shards', async () => {
  dynamo.on(TransactWriteCommand).resolves({});
  await commit({ event: placedEvent(), draws, cart: undefined });
  await commit({ event: placedEvent(), draws: draws.slice(1), cart: undefined });
  const tokens = dynamo
    .commandCalls(TransactWriteCommand)
    .map(({ args }) => args[0].input.ClientRequestToken);
  expect(new Set(tokens).size).toBe(2);
});

it('tells which action was contended: the event, a shard, or the cart', async () => {
  dynamo.on(TransactWriteCommand).rejectsOnce(cancelled('None', 'None', 'TransactionConflict', 'None'));
  expect(await commit({ event: placedEvent(), draws, cart })).toEqual({
    result: 'refused',
    dry: [],
    contended: [draws[1]],
    cart: false,
    event: false,
  });
  dynamo.reset();
  dynamo
    .on(TransactWriteCommand)
    .rejectsOnce(cancelled('TransactionConflict', 'None', 'None', 'ConditionalCheckFailed'));
  expect(await commit({ event: placedEvent(), draws, cart })).toMatchObject({
    contended: [],
    cart: true,
    event: true,
  });
});

it.each(['ThrottlingError', 'ProvisionedThroughputExceeded'])('refuses for now on %s', async (code) => {
  dynamo.on(TransactWriteCommand).rejectsOnce(cancelled('None', code, 'TransactionConflict', 'None'));
  await expect(commit({ event: placedEvent(), draws, cart })).rejects.toMatchObject({
    code: 'temporary-reduced-capacity',
  });
});

it('does not take an invalid transaction for a refusal', async () => {
  dynamo
    .on(TransactWriteCommand)
    .rejectsOnce(cancelled('None', 'ValidationError', 'ThrottlingError', 'None'));
  await expect(commit({ event: placedEvent(), draws, cart })).rejects.toThrow(TransactionCanceledException);
});
