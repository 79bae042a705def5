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
