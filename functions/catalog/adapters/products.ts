import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet, batchPut } from '../../kernel/batch.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Replaced } from '../app/change-product.ts';
import type { VersionedProduct } from '../domain/product.ts';
import { productKey, skuKey } from '../keys.ts';
import { productItem, productOf, putSku, retireSku, skuItem, type TransactItem } from './product-items.ts';

/** Reads one product; removed ones too. */
export function readProduct(documents: DynamoDBDocumentClient, table: string, { consistent = false } = {}) {
  return async (productId: string): Promise<VersionedProduct | undefined> => {
    const { Item } = await documents.send(
      new GetCommand({ TableName: table, Key: productKey(productId), ConsistentRead: consistent }),
    );
    return Item && productOf(Item);
  };
}

/** Reads many products, consistently. */
export function readProducts(documents: DynamoDBDocumentClient, table: string) {
  return async (productIds: readonly string[]): Promise<Map<string, VersionedProduct>> => {
    const items = await batchGet(documents, table, productIds.map(productKey), { consistent: true });
    return new Map(items.map((item) => [item.id, productOf(item)]));
  };
}

/** The product of each SKU, consistently. */
export function readOwners(documents: DynamoDBDocumentClient, table: string) {
  return async (skus: readonly string[]): Promise<Map<string, string>> => {
    const items = await batchGet(documents, table, skus.map(skuKey), { consistent: true });
    return new Map(items.map(({ sku, productId }) => [sku, productId]));
  };
}

/** Stores a new product with its SKUs; false when a SKU is taken. */
export function insertProduct(documents: DynamoDBDocumentClient, table: string) {
  return async (product: VersionedProduct): Promise<boolean> => {
    const failed = await transact(documents, [
      { Put: { TableName: table, Item: productItem(product), ConditionExpression: 'attribute_not_exists(pk)' } },
      ...product.variants.map((variant) => putSku(table, product, variant)),
    ]);
    return failed.length === 0;
  };
}

/**
 * Stores new products. The SKUs come first: should this end half way, an import still sees the product as missing
 * and writes it with its SKUs again.
 */
export function addProducts(documents: DynamoDBDocumentClient, table: string) {
  return async (products: readonly VersionedProduct[]): Promise<void> => {
    const skus = products.flatMap((product) => product.variants.map((variant) => skuItem(product, variant)));
    await batchPut(documents, table, skus);
    await batchPut(documents, table, products.map(productItem));
  };
}

/** Replaces one version of a product, and its SKUs, by the next. */
export function replaceProduct(documents: DynamoDBDocumentClient, table: string) {
  return async (before: VersionedProduct, after: VersionedProduct): Promise<Replaced> => {
    const kept = new Set(after.variants.map(({ sku }) => sku));
    const failed = await transact(documents, [
      {
        Put: {
          TableName: table,
          Item: productItem(after),
          ConditionExpression: 'version = :before',
          ExpressionAttributeValues: { ':before': before.version },
        },
      },
      ...after.variants.map((variant) => putSku(table, after, variant)),
      ...before.variants
        .filter(({ sku }) => !kept.has(sku))
        .map((variant) => retireSku(table, after, variant)),
    ]);
    if (failed.includes(0)) return 'changed';
    return failed.length > 0 ? 'taken' : 'replaced';
  };
}

/**
 * The positions of the actions whose condition failed; none when the transaction is done.
 * @throws DomainError `temporary-reduced-capacity` when another transaction was in the way
 */
async function transact(documents: DynamoDBDocumentClient, items: TransactItem[]): Promise<number[]> {
  try {
    await documents.send(new TransactWriteCommand({ TransactItems: items }));
    return [];
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code);
    const failed = codes.flatMap((code, index) => (code === 'ConditionalCheckFailed' ? [index] : []));
    if (failed.length > 0) return failed;
    if (codes.includes('TransactionConflict') || codes.includes('ThrottlingError')) {
      throw new DomainError('temporary-reduced-capacity', 'It is being changed. Please try again.');
    }
    throw error;
  }
}
