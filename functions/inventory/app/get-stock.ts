import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { getStock as route } from '../contract.ts';
import type { Heat } from '../domain/heat.ts';
import type { Stock } from '../domain/shards.ts';
import { etagOf, viewOf } from '../domain/stock.ts';

interface Ports {
  /** True of one moment. */
  readonly stock: (sku: string) => Promise<Stock | undefined>;
  readonly heat: (sku: string) => Promise<Heat | undefined>;
}

/** The stock of one SKU with its shards, their moves and its heat; its ETag is for setting it. */
export const getStock =
  (ports: Ports) =>
  async ({ params }: Pick<HttpRequest<typeof route>, 'params'>): Promise<HttpResponse<typeof route>> => {
    const [stock, heat] = await Promise.all([ports.stock(params.sku), ports.heat(params.sku)]);
    if (!stock) throw new DomainError('not-found', `${params.sku} is not stocked.`);
    return {
      status: 200,
      body: { ...viewOf(stock), ...(heat && told(heat)) },
      headers: { etag: etagOf(stock) },
    };
  };

function told({ conflicts, streak }: Heat) {
  return { heat: { conflicts, streak } };
}
