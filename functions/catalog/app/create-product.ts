import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { newId } from '../../kernel/ids.ts';
import type { createProduct as route } from '../contract.ts';
import { type Availability, etagOf, shown, type VersionedProduct } from '../domain/product.ts';
import { variantsOf } from '../domain/variants.ts';

interface Ports {
  /** False when one of its SKUs belongs to another product. */
  readonly insert: (product: VersionedProduct) => Promise<boolean>;
  readonly availability: (skus: readonly string[]) => Promise<ReadonlyMap<string, Availability>>;
  readonly newId: typeof newId;
  readonly now: Now;
}

/** Adds a product with its variants; SKUs that are not given are made. */
export const createProduct =
  (ports: Ports) =>
  async ({ body }: Pick<HttpRequest<typeof route>, 'body'>): Promise<HttpResponse<typeof route>> => {
    const at = isoInstant(ports.now());
    const product: VersionedProduct = {
      ...body,
      id: ports.newId('prd'),
      status: 'active',
      variants: variantsOf(body.variants, ports.newId),
      version: 1,
      createdAt: at,
      updatedAt: at,
    };
    if (!(await ports.insert(product))) {
      throw new DomainError('already-exists', 'One of the SKUs belongs to another product.');
    }
    const answer = shown(product, await ports.availability(product.variants.map(({ sku }) => sku)));
    const location = `/v1/products/${product.id}`;
    return { status: 201, body: answer, headers: { etag: etagOf(product.version, answer), location } };
  };
