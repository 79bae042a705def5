import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type { setStock as route } from '../contract.ts';
import { etagOf, viewOf } from '../domain/stock.ts';
import { type Ports as AdjustPorts, adjustStock } from './adjust-stock.ts';
import { type Ports as SetPorts, setAvailable } from './set-available.ts';

/** One route, two ways to change a stock; each has a header that makes it safe to send twice. */
export const setStock =
  (ports: SetPorts & AdjustPorts) =>
  async ({
    params: { sku },
    body,
    headers,
    caller,
  }: Pick<HttpRequest<typeof route>, 'params' | 'body' | 'headers' | 'caller'>): Promise<
    HttpResponse<typeof route>
  > => {
    if ('available' in body) {
      const stock = await setAvailable(ports)(sku, body.available, required(headers['if-match']));
      return { status: 200, body: viewOf(stock), headers: { etag: etagOf(stock) } };
    }
    const idempotencyKey = validKey(headers['idempotency-key']);
    const { answer, replayed } = await adjustStock(ports)({
      ...{ sku, idempotencyKey, by: caller.customerId },
      ...body,
    });
    return { status: 200, body: answer, headers: replayed ? { 'idempotent-replayed': 'true' } : {} };
  };

// The route as a whole requires neither header, so the pipeline does not look at them.

function required(ifMatch: string | undefined): string {
  if (ifMatch) return ifMatch.trim();
  throw new DomainError(
    'precondition-required',
    'Send the ETag that you read as If-Match; `*` opens a stock.',
  );
}

function validKey(key: string | undefined): string {
  if (!key) {
    throw new DomainError('idempotency-key-missing', 'An adjustment needs an Idempotency-Key header.');
  }
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new DomainError('idempotency-key-invalid', 'Idempotency-Key takes 1–255 visible ASCII characters.');
}
