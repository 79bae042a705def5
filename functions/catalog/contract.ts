import * as z from 'zod/mini';
import { amount, currency, id, instant, money, page, route } from '../kernel/contract.ts';

const productId = id('prd');
const sku = id('sku');

const text = (max: number) => z.string().check(z.trim(), z.minLength(1), z.maxLength(max));

const channel = z.enum(['web', 'voice']);
export type Channel = z.infer<typeof channel>;
const genderAffinity = z.enum(['F', 'M']);
const productStatus = z.enum(['active', 'removed']);
const availability = z.enum(['in_stock', 'low', 'sold_out']);
/** Colour, size and the like: what tells the variants of a product apart. */
const attributes = z
  .record(z.string().check(z.minLength(1), z.maxLength(50)), z.string().check(z.maxLength(200)))
  .check(
    z.refine((given) => Object.keys(given).length <= 20, 'at most 20 attributes'),
    // The database's marshaller would take it for the object's own.
    z.refine((given) => !Object.hasOwn(given, 'constructor'), 'an attribute cannot be named constructor'),
  );

/** What an operator describes and an import row fills in; also the columns' limits. */
export const describedProduct = {
  name: text(200),
  description: z.string().check(z.trim(), z.maxLength(4_000)),
  category: text(60),
  style: text(60),
  /** A file name or URL of the shop's image store. */
  image: z.optional(z.string().check(z.trim(), z.minLength(1), z.maxLength(500))),
  genderAffinity: z.optional(genderAffinity),
  featured: z.boolean(),
  promoted: z.boolean(),
  channels: z.array(channel).check(z.minLength(1), z.maxLength(2)),
};

const product = z.object({
  id: productId,
  ...describedProduct,
  status: productStatus,
  variants: z.array(z.object({ sku, attributes, price: money, availability })),
  createdAt: instant,
  updatedAt: instant,
});
export type Product = z.infer<typeof product>;

/** A variant as an operator sends it; a new one without `sku` is given one. */
const variantBody = z.object({ sku: z.optional(sku), attributes: z._default(attributes, {}), price: money });
const variantsBody = z.array(variantBody).check(z.minLength(1), z.maxLength(40));

export const sort = z.enum(['relevance', 'newest', 'price', '-price', 'name']);
export type Sort = z.infer<typeof sort>;

const minorUnits = z.optional(z.coerce.number().check(z.int(), z.minimum(0)));
const counted = z.array(z.object({ value: z.string(), count: z.int() }));

export const listProducts = route({
  id: 'listProducts',
  method: 'GET',
  path: '/v1/products',
  audience: 'all',
  priority: 'browse',
  summary:
    'Products on sale. `q` finds those that have every word, or its beginning. Prices are minor units of `currency`. A page may hold fewer than `limit` when `inStock=true`; go on while there is a `next`.',
  query: z.object({
    q: z.optional(z.string().check(z.trim(), z.maxLength(200))),
    category: z.optional(z.string().check(z.maxLength(60))),
    style: z.optional(z.string().check(z.maxLength(60))),
    minPrice: minorUnits,
    maxPrice: minorUnits,
    currency: z._default(currency, 'USD'),
    inStock: z._default(z.enum(['true', 'false']), 'false'),
    channel: z._default(channel, 'web'),
    sort: z._default(sort, 'relevance'),
    ...page,
  }),
  responses: {
    200: z.object({
      items: z.array(product),
      facets: z.object({
        category: counted,
        style: counted,
        /** Half-open ranges `[min, max)` in minor units of `currency`; the last has no `max`. */
        price: z.array(z.object({ min: amount, max: z.optional(amount), currency, count: z.int() })),
      }),
      next: z.optional(z.string()),
    }),
  },
  problems: ['invalid-cursor', 'validation-failed'],
  cacheSeconds: 5,
});

export const getProduct = route({
  id: 'getProduct',
  method: 'GET',
  path: '/v1/products/{productId}',
  audience: 'all',
  priority: 'browse',
  summary: 'A product with its variants and their availability.',
  params: z.object({ productId }),
  responses: { 200: product },
  problems: ['not-found'],
  cacheSeconds: 5,
});

export const listCategories = route({
  id: 'listCategories',
  method: 'GET',
  path: '/v1/categories',
  audience: 'all',
  priority: 'browse',
  summary: 'The categories on sale, each with its styles and the number of products.',
  query: z.object({ channel: z._default(channel, 'web') }),
  responses: {
    200: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          products: z.int(),
          children: z.array(z.object({ name: z.string(), products: z.int() })),
        }),
      ),
    }),
  },
  cacheSeconds: 300,
});

export const createProduct = route({
  id: 'createProduct',
  method: 'POST',
  path: '/v1/admin/products',
  audience: 'operators',
  priority: 'operate',
  summary: 'Adds a product with its variants.',
  body: z.object({
    ...describedProduct,
    featured: z._default(describedProduct.featured, false),
    promoted: z._default(describedProduct.promoted, false),
    channels: z._default(describedProduct.channels, ['web']),
    variants: variantsBody,
  }),
  responses: { 201: product },
  problems: ['validation-failed', 'already-exists'],
});

export const changeProduct = route({
  id: 'changeProduct',
  method: 'PATCH',
  path: '/v1/admin/products/{productId}',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Changes what is sent (RFC 7396: `null` clears, `variants` replaces the whole list). `status: removed` takes the product off sale. Around a drop the name, price and being on sale of its SKUs stay as they are.',
  params: z.object({ productId }),
  body: z.object({
    name: z.optional(describedProduct.name),
    description: z.optional(describedProduct.description),
    category: z.optional(describedProduct.category),
    style: z.optional(describedProduct.style),
    image: z.nullish(text(500)),
    genderAffinity: z.nullish(genderAffinity),
    featured: z.optional(describedProduct.featured),
    promoted: z.optional(describedProduct.promoted),
    channels: z.optional(describedProduct.channels),
    status: z.optional(productStatus),
    variants: z.optional(variantsBody),
  }),
  conditional: true,
  responses: { 200: product },
  problems: [
    'not-found',
    'precondition-failed',
    'precondition-required',
    'validation-failed',
    'already-exists',
    'drop-open',
  ],
});

export const importProducts = route({
  id: 'importProducts',
  method: 'POST',
  path: '/v1/admin/products/import',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Adds and updates products from a file: `application/yaml` (a list of mappings) or `text/csv` (RFC 4180 with a header row), at most 1.5 MB and 5,000 rows. A row that cannot be taken is reported with its line and does not stop the rest. Sending the same file again writes nothing.',
  body: 'text',
  responses: {
    200: z.object({
      imported: z.int(),
      updated: z.int(),
      unchanged: z.int(),
      failed: z.array(z.object({ line: z.int(), id: z.optional(z.string()), reason: z.string() })),
    }),
  },
  problems: ['payload-too-large', 'unsupported-media-type', 'validation-failed'],
});
