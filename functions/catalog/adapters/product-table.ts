import { TransactionCanceledException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet, batchPut } from '../../kernel/batch.ts';
import { systemSleep } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Replaced } from '../app/change-product.ts';
import type { VersionedProduct } from '../domain/product.ts';
import { productKey, skuKey } from '../keys.ts';
import { productItem, productOf, putSku, retireSku, skuItem, type TransactItem } from './product-items.ts';

/** Products and their SKUs in the catalogue's table. */
export function productTable(documents: DynamoDBDocumentClient, table: string) {
  const product =
    ({ consistent }: { consistent: boolean }) =>
    async (productId: string): Promise<VersionedProduct | undefined> => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: productKey(productId), ConsistentRead: consistent }),
      );
      return Item && productOf(Item);
    };

  return {
    /** For shoppers, whose caches are older anyway. */
    glimpse: product({ consistent: false }),
    /** For those who change it. */
    product: product({ consistent: true }),

    async products(productIds: readonly string[]): Promise<Map<string, VersionedProduct>> {
      const items = await batchGet(documents, table, productIds.map(productKey), { consistent: true });
      return new Map(items.map((item) => [item.id, productOf(item)]));
    },

    async owners(skus: readonly string[]): Promise<Map<string, string>> {
      const items = await batchGet(documents, table, skus.map(skuKey), { consistent: true });
      return new Map(items.map(({ sku, productId }) => [sku, productId]));
    },

    async insert(product: VersionedProduct): Promise<boolean> {
      const Item = productItem(product);
      const failed = await transact(documents, [
        { Put: { TableName: table, Item, ConditionExpression: 'attribute_not_exists(pk)' } },
        ...product.variants.map((variant) => putSku(table, product, variant)),
      ]);
      return failed.length === 0;
    },

    /**
     * The SKUs come first: should this end half way, an import still sees the product as missing and writes it, with
     * its SKUs, again.
     */
    async add(products: readonly VersionedProduct[]): Promise<void> {
      const skus = products.flatMap((product) =>
        product.variants.map((variant) => skuItem(product, variant)),
      );
      await batchPut(documents, table, skus);
      await batchPut(documents, table, products.map(productItem));
    },

    async replace(before: VersionedProduct, after: VersionedProduct): Promise<Replaced> {
      const kept = new Set(after.variants.map(({ sku }) => sku));
      const retired = before.variants.filter(({ sku }) => !kept.has(sku));
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
        ...retired.map((variant) => retireSku(table, after, variant)),
      ]);
      if (failed.includes(0)) return 'changed';
      return failed.length > 0 ? 'taken' : 'replaced';
    },
  };
}

/** Times that a transaction is sent that meets another one. */
const attempts = 5;

/**
 * The positions of the actions whose condition failed; none when the transaction is done.
 * @throws DomainError `temporary-reduced-capacity` when other transactions stay in the way
 */
async function transact(documents: DynamoDBDocumentClient, items: TransactItem[]): Promise<number[]> {
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const codes = await cancellation(documents.send(new TransactWriteCommand({ TransactItems: items })));
    const failed = codes.flatMap((code, index) => (code === 'ConditionalCheckFailed' ? [index] : []));
    if (codes.length === 0 || failed.length > 0) return failed;
    await systemSleep(Math.random() * 50 * attempt);
  }
  throw new DomainError('temporary-reduced-capacity', 'The product is being changed. Please try again.');
}

/** Why a transaction was cancelled, action by action; empty when it was not. */
async function cancellation(sent: Promise<unknown>): Promise<string[]> {
  try {
    await sent;
    return [];
  } catch (error) {
    if (!(error instanceof TransactionCanceledException)) throw error;
    const codes = (error.CancellationReasons ?? []).map(({ Code }) => Code ?? 'None');
    const passing = ['ConditionalCheckFailed', 'TransactionConflict', 'ThrottlingError'];
    if (codes.some((code) => passing.includes(code))) return codes;
    throw error;
  }
}
