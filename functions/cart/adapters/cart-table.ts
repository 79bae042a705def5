import {
  ConditionalCheckFailedException,
  TransactionCanceledException,
  TransactionConflictException,
} from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import { systemSleep } from '../../kernel/clock.ts';
import type { Claim } from '../app/claim-cart.ts';
import type { Reader, StoredCart } from '../domain/cart.ts';
import { cartKey, ownerKey } from '../keys.ts';
import { readCart } from '../published.ts';

/** Times that a new cart is sent that meets another of its shopper. */
const attempts = 5;

/** The carts in their table. */
export function cartTable(documents: DynamoDBDocumentClient, table: string) {
  const put = (cart: StoredCart) => ({ TableName: table, Item: { ...cartKey(cart.cartId), ...cart } });

  /** The cart in place of its version before; or new, at version 1. */
  const putOver = (cart: StoredCart) =>
    cart.version === 1
      ? { ...put(cart), ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ...put(cart),
          ConditionExpression: 'version = :version AND attribute_not_exists(orderId)',
          ExpressionAttributeValues: { ':version': cart.version - 1 },
        };

  const pointer = (customerId: string, cartId: string) => ({
    TableName: table,
    Item: { ...ownerKey(customerId), cartId },
  });

  return {
    readCart: (cartId: string, reader: Reader) => readCart(documents, table, cartId, reader),

    async createCart(cart: StoredCart): Promise<void> {
      if (cart.ownerId === undefined) {
        await documents.send(new PutCommand(put(cart)));
        return;
      }
      const TransactItems = [{ Put: put(cart) }, { Put: pointer(cart.ownerId, cart.cartId) }];
      for (let attempt = 1; ; attempt++) {
        try {
          await documents.send(new TransactWriteCommand({ TransactItems }));
          return;
        } catch (error) {
          // Another cart of the same shopper is being made: the later one is the one they use.
          const again = error instanceof TransactionCanceledException && lostARace(error);
          if (!again || attempt === attempts) throw error;
          await systemSleep(Math.random() * 40 * attempt);
        }
      }
    },

    /** Whether it was stored: not when it is no longer at the version before, or has been ordered. */
    async replaceCart(cart: StoredCart): Promise<boolean> {
      try {
        await documents.send(new PutCommand(putOver(cart)));
        return true;
      } catch (error) {
        if (error instanceof ConditionalCheckFailedException) return false;
        // An order or a claim has it in hand: what comes of that decides.
        if (error instanceof TransactionConflictException) return false;
        throw error;
      }
    },

    async currentCartId(customerId: string): Promise<string | undefined> {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: ownerKey(customerId), ConsistentRead: true }),
      );
      return Item?.cartId;
    },

    async storeClaim({ guest, own, customerId, pointsTo }: Claim): Promise<boolean> {
      const movePointer = {
        ...pointer(customerId, own.cartId),
        ...(pointsTo === undefined
          ? { ConditionExpression: 'attribute_not_exists(pk)' }
          : {
              ConditionExpression: 'cartId = :cartId',
              ExpressionAttributeValues: { ':cartId': pointsTo },
            }),
      };
      try {
        await documents.send(
          new TransactWriteCommand({
            TransactItems: [
              { Put: putOver(guest) },
              { Put: putOver(own) },
              ...(pointsTo === own.cartId ? [] : [{ Put: movePointer }]),
            ],
          }),
        );
        return true;
      } catch (error) {
        if (error instanceof TransactionCanceledException && lostARace(error)) return false;
        throw error;
      }
    },
  };
}

function lostARace({ CancellationReasons = [] }: TransactionCanceledException): boolean {
  const codes = CancellationReasons.map(({ Code }) => Code).filter((code) => code !== 'None');
  return (
    codes.length > 0 &&
    codes.every((code) => code === 'ConditionalCheckFailed' || code === 'TransactionConflict')
  );
}
