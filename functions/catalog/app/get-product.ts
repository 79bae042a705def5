import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { getProduct as route } from '../contract.ts';
import { type Availability, etagOf, shown, type VersionedProduct } from '../domain/product.ts';

interface Ports {
  readonly product: (productId: string) => Promise<VersionedProduct | undefined>;
  readonly availability: (skus: readonly string[]) => Promise<ReadonlyMap<string, Availability>>;
}

/** One product on sale, in whatever channel, with what is left of it. */
export const getProduct =
  (ports: Ports) =>
  async ({ params }: Pick<HttpRequest<typeof route>, 'params'>): Promise<HttpResponse<typeof route>> => {
    const product = await ports.product(params.productId);
    if (product?.status !== 'active') {
      throw new DomainError('not-found', `There is no product ${params.productId}.`);
    }
    const body = shown(product, await ports.availability(product.variants.map(({ sku }) => sku)));
    return { status: 200, body, headers: { etag: etagOf(product.version, body) } };
  };
