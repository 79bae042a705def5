import { DomainError } from './errors.ts';
import { canonicalJson, digest } from './ids.ts';

/** An opaque cursor: `position` in the list that `binding` (route, owner, filters) describes. */
export function encodeCursor(position: unknown, binding: unknown): string {
  return Buffer.from(JSON.stringify([mark(binding), position])).toString('base64url');
}

/** @throws DomainError `invalid-cursor` when it is not a cursor, or one of another list. */
export function decodeCursor(cursor: string, binding: unknown): unknown {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(cursor, 'base64url').toString());
  } catch {
    value = undefined;
  }
  if (!Array.isArray(value) || value.length !== 2 || value[0] !== mark(binding)) {
    throw new DomainError(
      'invalid-cursor',
      'Use the `next` of the page before, with the same filters and account; or begin without a cursor.',
    );
  }
  return value[1];
}

function mark(binding: unknown): string {
  return digest(canonicalJson(binding)).slice(0, 16);
}

/**
 * The `Link` header (RFC 8288) of a page with a next one, as a reference relative to wherever the API is reached;
 * nothing on the last page.
 */
export function nextLink(path: string, query: object, next: string | undefined): Record<string, string> {
  if (next === undefined) return {};
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, cursor: next })) {
    if (value !== undefined) search.set(name, String(value));
  }
  return { link: `<${path}?${search}>; rel="next"` };
}
