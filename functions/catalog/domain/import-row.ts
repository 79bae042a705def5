import * as z from 'zod/mini';
import { currency, type Money } from '../../kernel/contract.ts';
import { parseDecimal } from '../../kernel/money.ts';
import { type Channel, describedProduct } from '../contract.ts';
import type { CatalogProduct, VersionedProduct } from './product.ts';

/** What a row says of a product and of its one variant. */
export interface ImportedProduct
  extends Omit<CatalogProduct, 'status' | 'variants' | 'createdAt' | 'updatedAt'> {
  readonly sku: string;
  readonly price: Money;
}

const rowId = z.string().check(z.regex(/^[0-9A-Za-z-]{1,60}$/, 'takes 1 to 60 letters, digits and hyphens'));

/** `where_visible` of the sample catalogue: its Alexa products are sold by voice only. */
const channelsOf: Readonly<Record<string, Channel[]>> = {
  '': ['web'],
  ui: ['web'],
  web: ['web'],
  alexa: ['voice'],
  voice: ['voice'],
  all: ['web', 'voice'],
};

/** Reads a row, or says why it cannot be taken. Columns that are not known are passed over. */
export function productOfRow(
  columns: Readonly<Record<string, string>>,
): ImportedProduct | { reason: string } {
  const reasons: string[] = [];
  const read = <S extends z.ZodMiniType>(column: string, schema: S, value: unknown): z.output<S> => {
    const result = z.safeParse(schema, value);
    const message = value === undefined ? 'is missing' : result.error?.issues[0]?.message;
    if (!result.success) reasons.push(`${column}: ${message}`);
    return result.data as z.output<S>;
  };
  const flag = (column: string): boolean => {
    const value = (columns[column] ?? 'false').toLowerCase();
    if (value !== 'true' && value !== 'false') reasons.push(`${column}: is neither true nor false`);
    return value === 'true';
  };
  const channels = channelsOf[(columns.where_visible ?? '').toLowerCase()];
  if (!channels) reasons.push('where_visible: is not one of UI, Alexa, All');

  const id = read('id', rowId, columns.id);
  const product = {
    id: `prd_${id}`,
    sku: `sku_${id}`,
    name: read('name', describedProduct.name, columns.name),
    description: read('description', describedProduct.description, columns.description ?? ''),
    category: read('category', describedProduct.category, columns.category),
    style: read('style', describedProduct.style, columns.style),
    image: read('image', describedProduct.image, columns.image),
    genderAffinity: read('gender_affinity', describedProduct.genderAffinity, columns.gender_affinity),
    featured: flag('featured'),
    promoted: flag('promoted'),
    channels: channels ?? [],
    price: priceOf(columns, reasons),
  };
  return reasons.length > 0 ? { reason: reasons.join('; ') } : { ...product, price: product.price! };
}

function priceOf(columns: Readonly<Record<string, string>>, reasons: string[]): Money | undefined {
  const code = z.safeParse(currency, columns.currency ?? 'USD');
  if (!code.success) {
    reasons.push(`currency: the store does not trade in "${columns.currency?.slice(0, 10)}"`);
    return undefined;
  }
  if (columns.price === undefined) {
    reasons.push('price: is missing');
    return undefined;
  }
  try {
    return parseDecimal(columns.price, code.data);
  } catch (error) {
    reasons.push(`price: ${(error as RangeError).message.slice(0, 120)}`);
    return undefined;
  }
}

/**
 * What the product is after the import. The file describes one variant; others, the attributes of that one, and
 * whether the product is on sale are as operators left them.
 */
export function mergeImported(
  row: ImportedProduct,
  before: VersionedProduct | undefined,
): Omit<CatalogProduct, 'createdAt' | 'updatedAt'> {
  const { sku, price, ...described } = row;
  const known = before?.variants ?? [];
  const variants = known.some((variant) => variant.sku === sku)
    ? known.map((variant) => (variant.sku === sku ? { ...variant, price } : variant))
    : [...known, { sku, attributes: {}, price }];
  return { ...described, status: before?.status ?? 'active', variants };
}
