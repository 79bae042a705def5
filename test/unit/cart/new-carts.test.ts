import { DynamoDBClient, TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, expect, it } from 'vitest';
import { cartTable } from '../../../functions/cart/adapters/cart-table.ts';

// A conflict is what no emulator does on demand: two carts of one shopper, made at the same moment.
const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'eu-west-1' }));
const dynamo = mockClient(documents);
const carts = cartTable(documents, 'cart');
const cart = {
  cartId: 'crt_1',
  version: 1,
  ownerId: 'mina',
  lines: [],
  createdAt: '2026-01-01T00:00:00.000Z',
  updatedAt: '2026-01-01T00:00:00.000Z',
  expiresAt: 1,
};
const cancelled = (...codes: string[]) =>
  new TransactionCanceledException({
    $metadata: {},
    message: '',
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

beforeEach(() => dynamo.reset());

it('makes a cart that meets another of the same shopper again', async () => {
  dynamo.on(TransactWriteCommand).rejectsOnce(cancelled('None', 'TransactionConflict')).resolves({});
  await carts.createCart(cart);
  expect(dynamo.commandCalls(TransactWriteCommand)).toHaveLength(2);
});

it('gives up when the others do not end, and at once for another reason', async () => {
  dynamo.on(TransactWriteCommand).rejects(cancelled('None', 'TransactionConflict'));
  await expect(carts.createCart(cart)).rejects.toThrow(TransactionCanceledException);
  dynamo.reset();
  dynamo.on(TransactWriteCommand).rejects(cancelled('ValidationError', 'None'));
  await expect(carts.createCart(cart)).rejects.toThrow(TransactionCanceledException);
  expect(dynamo.commandCalls(TransactWriteCommand)).toHaveLength(1);
});
