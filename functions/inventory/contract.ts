import * as z from 'zod/mini';
import { id, route } from '../kernel/contract.ts';

const sku = id('sku');

/** Units, of stock or of a line. */
const units = z.int().check(z.minimum(0), z.maximum(1_000_000_000));

/** 91 items (the shards and the header) fit into one read and one transaction. */
export const mostShards = 90;

const stock = z.object({
  sku,
  /** The sum of the shards at one moment. */
  available: units,
  availability: z.enum(['in_stock', 'low', 'sold_out']),
  /** At or below this sum the SKU counts as `low`. */
  lowAt: units,
  /** Whether the latch is closed: then orders are refused without counting. */
  soldOut: z.boolean(),
  shards: z.array(
    z.object({
      shard: z.int(),
      available: units,
      rev: z.int(),
      /** Where its units came from and went to: `available = entered + moved - drawn + released`. */
      counts: z.optional(z.object({ entered: z.int(), moved: z.int(), drawn: z.int(), released: z.int() })),
    }),
  ),
  /** How often orders for the SKU met each other on a shard, and looks in succession that found it hot. */
  heat: z.optional(z.object({ conflicts: z.int(), streak: z.int() })),
});
export type StockView = z.infer<typeof stock>;

export const getStock = route({
  id: 'getStock',
  method: 'GET',
  path: '/v1/admin/stock/{sku}',
  audience: 'operators',
  priority: 'operate',
  summary: 'The stock of a SKU, true of one moment; its ETag changes with every unit that moves.',
  params: z.object({ sku }),
  responses: { 200: stock },
  problems: ['not-found', 'temporary-reduced-capacity'],
});

export const setStock = route({
  id: 'setStock',
  method: 'PUT',
  path: '/v1/admin/stock/{sku}',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Sets the stock (`available`, with the ETag as `If-Match`; `*` opens a SKU without stock) or changes it by a number of units (`adjust`, with an `Idempotency-Key`).',
  params: z.object({ sku }),
  body: z.union([
    z.strictObject({ available: units }),
    z.strictObject({
      adjust: z
        .int()
        .check(z.minimum(-1_000_000_000), z.maximum(1_000_000_000))
        .check(z.refine((n) => n !== 0, 'must not be 0')),
      reason: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
    }),
  ]),
  responses: { 200: stock },
  problems: [
    'not-found',
    'stock-state',
    'precondition-required',
    'precondition-failed',
    'idempotency-key-missing',
    'idempotency-key-invalid',
    'idempotency-key-reused',
    'validation-failed',
    'temporary-reduced-capacity',
  ],
});

export const setShards = route({
  id: 'setShards',
  method: 'PUT',
  path: '/v1/admin/stock/{sku}/shards',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Raises the number of shards of a SKU and spreads its units evenly over them. It cannot be lowered. Harmless when repeated.',
  params: z.object({ sku }),
  body: z.object({ count: z.int().check(z.minimum(1), z.maximum(mostShards)) }),
  responses: { 200: stock },
  problems: ['not-found', 'stock-state', 'validation-failed', 'temporary-reduced-capacity'],
});

export const importStock = route({
  id: 'importStock',
  method: 'POST',
  path: '/v1/admin/stock/import',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Opens the stock of SKUs that have none, from a file as the catalogue imports it: `application/yaml` or `text/csv` with the columns `id` or `sku`, and `current_stock` or `available`. SKUs that have stock stay as they are.',
  body: 'text',
  responses: {
    200: z.object({
      opened: z.int(),
      unchanged: z.int(),
      failed: z.array(z.object({ line: z.int(), id: z.optional(z.string()), reason: z.string() })),
    }),
  },
  problems: ['payload-too-large', 'unsupported-media-type', 'validation-failed'],
});
