import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import { canonicalJson, digest } from '../../kernel/ids.ts';
import type { listCategories as route } from '../contract.ts';
import { categoriesOf } from '../domain/categories.ts';
import type { Card } from '../domain/listing.ts';

interface Ports {
  readonly products: () => Promise<readonly Card[]>;
}

/** The categories that have something on sale; a new one comes with its first product. */
export const listCategories =
  (ports: Ports) =>
  async ({ query }: Pick<HttpRequest<typeof route>, 'query'>): Promise<HttpResponse<typeof route>> => {
    const body = { items: categoriesOf(await ports.products(), query.channel) };
    return { status: 200, body, headers: { etag: `"${digest(canonicalJson(body)).slice(0, 32)}"` } };
  };
