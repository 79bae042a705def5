import type { TransactWriteCommandInput } from '@aws-sdk/lib-dynamodb';
import { contentHash, termsOf, type Variant, type VersionedProduct } from '../domain/product.ts';
import { feedKey, productKey, skuKey } from '../keys.ts';

export type TransactItem = NonNullable<TransactWriteCommandInput['TransactItems']>[number];

/** A product as an item; `contentHash` lets an import see that a row is stored already. */
export function productItem(product: VersionedProduct) {
  return {
    ...productKey(product.id),
    ...feedKey(product.id, product.updatedAt),
    ...product,
    contentHash: contentHash(product),
  };
}

/** What pricing needs to know of one variant. */
export function skuItem(product: VersionedProduct, variant: Variant) {
  return { ...skuKey(variant.sku), ...termsOf(product, variant) };
}

/** A product from its item, without what only the table needs. */
export function productOf(item: Record<string, any>): VersionedProduct {
  const { pk, sk, feed, feedAt, contentHash: _, ...product } = item;
  return product as VersionedProduct;
}

/** Writes the item of a SKU, unless it is another product's. */
export function putSku(table: string, product: VersionedProduct, variant: Variant): TransactItem {
  return {
    Put: {
      TableName: table,
      Item: skuItem(product, variant),
      ConditionExpression: 'attribute_not_exists(pk) OR productId = :product',
      ExpressionAttributeValues: { ':product': product.id },
    },
  };
}

/** Takes a variant off sale that its product no longer has; carts that hold its SKU still find its name. */
export function retireSku(table: string, product: VersionedProduct, variant: Variant): TransactItem {
  return { Put: { TableName: table, Item: { ...skuItem(product, variant), purchasable: false } } };
}
