import { isoInstant, type Now } from '../../kernel/clock.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import { chunksOf, inParallel } from '../../kernel/parallel.ts';
import { readRows } from '../../kernel/rows.ts';
import type { importProducts as route } from '../contract.ts';
import { type ImportedProduct, mergeImported, productOfRow } from '../domain/import-row.ts';
import { changedTerms, changeTime, contentHash, type VersionedProduct } from '../domain/product.ts';
import { heldDetail, type Replaced } from './change-product.ts';

interface Ports {
  /** Those of the products that there are; consistent. */
  readonly products: (productIds: readonly string[]) => Promise<ReadonlyMap<string, VersionedProduct>>;
  /** The product that each SKU belongs to; consistent. */
  readonly owners: (skus: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Stores new products, at most 25. */
  readonly add: (products: readonly VersionedProduct[]) => Promise<void>;
  readonly replace: (before: VersionedProduct, after: VersionedProduct) => Promise<Replaced>;
  /** Those of the SKUs that stand still for a drop, with the drop; consistent. */
  readonly heldStill: (skus: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  readonly now: Now;
}

interface Numbered {
  readonly line: number;
  readonly id?: string | undefined;
}
type Failure = Numbered & { readonly reason: string };
type Accepted = Numbered & { readonly product: ImportedProduct };

/** The most that a BatchWriteItem takes. */
const addedTogether = 25;

/** Writes under way at once: enough to hide the latency, few enough for a new table's first seconds. */
const width = 8;

/**
 * Imports a file.
 *
 * 1. Read its rows; set aside those that cannot be taken.
 * 2. Compare the others with what is stored; set aside those that would change the terms of a SKU around its drop.
 * 3. Add what is new in batches; replace what differs, each in a transaction of its own, so that an operator's change
 *    at the same moment is not lost.
 *
 * It may be stopped at any point: sending the file again does the rest.
 */
export const importProducts =
  (ports: Ports) =>
  async ({
    body,
    headers,
  }: Pick<HttpRequest<typeof route>, 'body' | 'headers'>): Promise<HttpResponse<typeof route>> => {
    const { accepted, failed } = readProducts(body, headers['content-type']);
    const stored = await ports.products(accepted.map(({ product }) => product.id));
    const owners = await ports.owners(accepted.map(({ product }) => product.sku));
    const touched = new Map(
      accepted.map(({ product }) => [product, touchedBy(product, stored.get(product.id), owners)]),
    );
    const held = await ports.heldStill([...touched.values()].flat());
    const refusalOf = ({ product }: Accepted): string | undefined => {
      const { id, sku } = product;
      if ((owners.get(sku) ?? id) !== id) return `the SKU ${sku} belongs to another product`;
      const still = touched.get(product)!.find((one) => held.has(one));
      return still && heldDetail(still, held.get(still)!);
    };
    const rows = accepted.filter((row) => {
      const reason = refusalOf(row);
      if (reason) failed.push(failure(row, reason));
      return !reason;
    });

    const fresh = rows.filter(({ product }) => !stored.has(product.id));
    await inParallel(chunksOf(fresh, addedTogether), width, (chunk) =>
      ports.add(chunk.map(({ product }) => newProduct(product, ports.now()))),
    );

    let updated = 0;
    let unchanged = 0;
    await inParallel(rows, width, async (row) => {
      const before = stored.get(row.product.id);
      if (!before) return;
      const after = { ...mergeImported(row.product, before), createdAt: before.createdAt };
      if (contentHash(after) === contentHash(before)) {
        unchanged++;
        return;
      }
      const updatedAt = isoInstant(changeTime(before, ports.now()));
      const result = await ports.replace(before, { ...after, version: before.version + 1, updatedAt });
      if (result === 'replaced') updated++;
      else failed.push(failure(row, 'was being changed by somebody else: send the file again'));
    });
    failed.sort((a, b) => a.line - b.line);
    return { status: 200, body: { imported: fresh.length, updated, unchanged, failed } };
  };

/** SKUs on sale whose terms the row changes. An import that was cut off leaves SKUs without their product. */
function touchedBy(
  row: ImportedProduct,
  before: VersionedProduct | undefined,
  owners: ReadonlyMap<string, string>,
): string[] {
  if (before) return changedTerms(before, mergeImported(row, before));
  return owners.has(row.sku) ? [row.sku] : [];
}

function readProducts(text: string, contentType: string | undefined) {
  const accepted: Accepted[] = [];
  const failed: Failure[] = [];
  const seen = new Map<string, number>();
  for (const { line, columns, problem } of readRows(text, contentType)) {
    const row = { line, id: columns.id };
    const product = problem ? { reason: problem } : productOfRow(columns);
    if ('reason' in product) {
      failed.push(failure(row, product.reason));
      continue;
    }
    const first = seen.get(product.id);
    if (first !== undefined) failed.push(failure(row, `the id is in line ${first} already`));
    else accepted.push({ ...row, product });
    seen.set(product.id, first ?? line);
  }
  return { accepted, failed };
}

function failure({ line, id }: Numbered, reason: string): Failure {
  return { line, ...(id !== undefined && { id: id.slice(0, 100) }), reason };
}

function newProduct(row: ImportedProduct, now: number): VersionedProduct {
  const at = isoInstant(now);
  return { ...mergeImported(row, undefined), version: 1, createdAt: at, updatedAt: at };
}
