import { type DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { isThereFor, type Reader, type StoredCart } from './domain/cart.ts';
import { cartKey } from './keys.ts';

export { type Quote, type QuoteLine, quote } from './domain/quote.ts';

/**
 * The cart, read consistently (needs `dynamodb:GetItem` on the cart's table); undefined when there is none, it has
 * expired, or it is another shopper's. Of what it holds, `lines`, `version`, `orderId` and `claimedBy` decide whether
 * it can be ordered.
 */
export async function readCart(
  documents: DynamoDBDocumentClient,
  table: string,
  cartId: string,
  reader: Reader,
): Promise<StoredCart | undefined> {
  const { Item } = await documents.send(
    new GetCommand({ TableName: table, Key: cartKey(cartId), ConsistentRead: true }),
  );
  if (!Item) return undefined;
  const { pk, sk, ...cart } = Item;
  return isThereFor(cart as StoredCart, reader) ? (cart as StoredCart) : undefined;
}

/**
 * Closes the cart as an action of a write transaction. The condition fails, with the item as it was (`ALL_OLD`),
 * when the cart is gone, has changed since `version`, or has been ordered.
 */
export function closeCartItem(table: string, close: { cartId: string; version: number; orderId: string }) {
  return {
    Update: {
      TableName: table,
      Key: cartKey(close.cartId),
      UpdateExpression: 'SET orderId = :order, version = :next',
      ConditionExpression: 'version = :version AND attribute_not_exists(orderId)',
      ExpressionAttributeValues: {
        ':order': close.orderId,
        ':version': close.version,
        ':next': close.version + 1,
      },
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    },
  };
}
