import { DomainError } from '../../kernel/errors.ts';

export function etagOf(cart: { readonly version: number }): string {
  return `"${cart.version}"`;
}

/** Whether the writer takes whatever version is there (`If-Match: *`). */
export function takesAny(ifMatch: string): boolean {
  return ifMatch.trim() === '*';
}

/**
 * RFC 9110 §13.1.1: one of the listed tags, compared strongly (a weak tag never matches), or `*`.
 * @throws DomainError `precondition-failed`
 */
export function requireMatch(ifMatch: string, cart: { readonly version: number }): void {
  const etag = etagOf(cart);
  if (takesAny(ifMatch) || ifMatch.split(',').some((tag) => tag.trim() === etag)) return;
  throw new DomainError('precondition-failed', `The cart is at ${etag} now. Read it again, then repeat.`, {
    etag,
  });
}
