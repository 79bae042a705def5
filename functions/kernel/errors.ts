/** Every problem type of the public API: its HTTP status and title. The code is also the error's name in the saga. */
export const problems = {
  'malformed-request': [400, 'The request cannot be read'],
  'idempotency-key-missing': [400, 'An Idempotency-Key header is needed'],
  'idempotency-key-invalid': [400, 'The Idempotency-Key header is not valid'],
  'invalid-cursor': [400, 'The cursor does not belong to this list'],
  'signature-invalid': [400, 'The signature does not fit the request'],
  unauthorized: [401, 'A valid access token is needed'],
  forbidden: [403, 'This account may not do this'],
  'admission-required': [403, 'Admission is needed'],
  'admission-invalid': [403, 'The admission is not valid'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'The method is not allowed here'],
  'out-of-stock': [409, 'Not enough stock'],
  'price-changed': [409, 'The price has changed'],
  'cart-closed': [409, 'The cart is closed'],
  'cart-empty': [409, 'The cart is empty'],
  'order-state': [409, 'The order is not in a state for this'],
  'drop-not-open': [409, 'The drop has not opened'],
  'drop-open': [409, 'It is sold in a drop, and stands still'],
  'drop-closed': [409, 'The drop has closed'],
  'admission-used': [409, 'The admission has been used'],
  'customer-limit': [409, 'More than one shopper may buy'],
  'stock-state': [409, 'The stock is not in a state for this'],
  'already-exists': [409, 'It exists already'],
  'precondition-failed': [412, 'It has changed since you read it'],
  'payload-too-large': [413, 'The request is too large'],
  'unsupported-media-type': [415, 'The content type is not supported'],
  'validation-failed': [422, 'The request is not valid'],
  'idempotency-key-reused': [422, 'The Idempotency-Key was used for another request'],
  'too-many-lines': [422, 'Too many lines'],
  'currency-mismatch': [422, 'The currencies differ'],
  'amount-mismatch': [422, 'The amount is not that of the order'],
  'card-number-refused': [422, 'Card numbers are not accepted'],
  'precondition-required': [428, 'An If-Match header is needed'],
  'quota-exceeded': [429, 'Too many requests'],
  'internal-error': [500, 'Something went wrong on our side'],
  'temporary-reduced-capacity': [503, 'Too busy at the moment'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problems;

/** The `type` of a problem document (RFC 9457): the address of its page. */
export function problemType(code: ProblemCode): string {
  return `https://floodgate.dev/problems/${code}`;
}

/**
 * A refusal by the rules of the domain. `code` is its problem type over HTTP, its `name`, and so the
 * `ErrorEquals` in a state machine. `members` become fields of the problem document.
 */
export class DomainError extends Error {
  readonly code: ProblemCode;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(code: ProblemCode, detail: string, members: Readonly<Record<string, unknown>> = {}) {
    super(detail);
    this.name = code;
    this.code = code;
    this.members = members;
  }
}

/** What a log says of whatever was thrown: a message may quote what must not be logged. */
export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown';
}

/** Whether `error` is a DomainError, of the given code if one is given. */
export function isDomainError(error: unknown, code?: ProblemCode): error is DomainError {
  return error instanceof DomainError && (code === undefined || error.code === code);
}
