import type { ProblemCode } from '../../functions/kernel/errors.ts';

/** Why a problem is answered and what its receiver can do; `members` are its fields beyond those of every problem. */
export const problemTexts: Readonly<
  Record<ProblemCode, { readonly cause: string; readonly remedy: string; readonly members?: string }>
> = {
  'malformed-request': {
    cause: 'The body is not JSON, or a part of the request cannot be decoded.',
    remedy: 'Send a body that a JSON parser accepts, in UTF-8.',
  },
  'idempotency-key-missing': {
    cause: 'The request moves money or stock, and has no `Idempotency-Key` header.',
    remedy:
      'Make a key for each deed of the shopper (a UUID will do), send it with the request, and send the same one with every retry of it.',
  },
  'idempotency-key-invalid': {
    cause: 'The `Idempotency-Key` header is empty, longer than 255 characters, or not visible ASCII.',
    remedy: 'Use 1 to 255 visible ASCII characters without spaces.',
  },
  'invalid-cursor': {
    cause: 'The cursor is damaged, or was made for another list, other filters or another account.',
    remedy:
      'Follow the `Link` header or `next` of the page before without changing anything else; or begin without a cursor.',
  },
  'signature-invalid': {
    cause:
      'The signature is missing, not made with a valid secret over exactly these bytes, or more than 300 seconds away from now.',
    remedy: 'Sign the raw body with the newest secret and the present time, and send it again.',
  },
  unauthorized: {
    cause:
      'There is no access token, or it is expired, forged, an ID token, one of another client, or its session has ended. On routes of operators and finance it is also one of a sign-in more than twelve hours ago.',
    remedy:
      'Sign in or refresh, and send `Authorization: Bearer <access token>`. An ID token is not an access token.',
  },
  forbidden: {
    cause: 'The token is good, but its account is not in the group that the route is for.',
    remedy: 'Use an account of that group (`operators` or `finance`). A new membership needs a new token.',
  },
  'admission-required': {
    cause:
      'A SKU of the order is sold in a drop, and the request has no `Floodgate-Admission` header for it.',
    remedy:
      'Take a ticket with `POST` to `ticketsAt`, wait for its turn, and order again with the token; the same `Idempotency-Key` may be used.',
    members: '`dropId`, `skus`, `opensAt`, and `ticketsAt`: the path at which tickets are had',
  },
  'admission-invalid': {
    cause:
      'The admission token is not one of this drop, was given to another account, or has run out. Nothing was ordered.',
    remedy: 'Read the ticket again; if its admission has lapsed, take another ticket.',
    members: '`dropId`',
  },
  'not-found': {
    cause: 'There is no such route or object, it has expired, or it belongs to somebody else.',
    remedy: 'Check the path and the id. Sign in with the account that the object belongs to.',
  },
  'method-not-allowed': {
    cause: 'The path exists, but not with this method.',
    remedy: 'Use one of the methods that the OpenAPI document lists for the path.',
  },
  'out-of-stock': {
    cause: 'At least one line asks for more units than there are. Nothing was taken.',
    remedy:
      'Lower or drop the lines named in `skus` and order again; the same `Idempotency-Key` may be used.',
    members: '`skus: [{sku, requested, available}]`',
  },
  'price-changed': {
    cause: 'The total is no longer the `expectedTotal` that was sent. Nothing was ordered.',
    remedy: 'Show the new quote to the shopper and order again with its total as `expectedTotal`.',
    members: '`quote`: the prices now',
  },
  'cart-closed': {
    cause: 'The cart has become an order, or its lines have moved to the cart of a shopper who claimed it.',
    remedy: 'Look at `orderId`, or go on with the cart `claimedBy`; for another purchase start a new cart.',
    members: '`orderId` or `claimedBy`',
  },
  'cart-empty': {
    cause: 'There is nothing in the cart that can be bought.',
    remedy: 'Add a line; replace lines that are `unavailable`.',
  },
  'order-state': {
    cause: 'The order is not in a state for this: for example, it has expired, or a payment is under way.',
    remedy: 'Read the order again. While a payment is pending or unknown, wait until it settles.',
  },
  'drop-not-open': {
    cause: 'The drop opens later. Nobody stands nearer to its front for having come before.',
    remedy:
      'Come at `opensAt`: everybody who arrives in the same second has the same chance of any place in it.',
    members: '`dropId`, `opensAt`, `retryAfterSeconds`',
  },
  'drop-open': {
    cause:
      'The SKU is sold in a drop. From two minutes before it opens until two minutes after it has closed its name, price and being on sale stay as they are, because orders remember them for a moment.',
    remedy:
      'Change it before or after. To sell nothing more at once, take the units away (`adjust`). What is not part of the terms (description, category, image) can be changed at any time.',
    members: '`sku`, `dropId`',
  },
  'drop-closed': {
    cause: 'The drop is over.',
    remedy: 'What is left of its goods is sold as other goods are.',
    members: '`dropId`, `closesAt`',
  },
  'admission-used': {
    cause: 'An order was placed with this admission; each is good for one.',
    remedy: 'If that order was yours, it is among your orders. For more, take another ticket.',
    members: '`dropId`',
  },
  'customer-limit': {
    cause: 'The shopper would have more units of the drop than one may buy. Nothing was taken.',
    remedy:
      'Order at most `limit` minus `bought`. Units of an order that was cancelled or expired do not count. The admission is still good.',
    members: '`dropId`, `limit`, and `bought`: units in orders so far',
  },
  'stock-state': {
    cause: 'The stock cannot be set this way now.',
    remedy: 'Read the stock again; use `adjust` in place of `available` when it changes all the time.',
  },
  'already-exists': {
    cause: 'Something with this id or name is there already.',
    remedy: 'Change the existing one, or choose another id.',
  },
  'precondition-failed': {
    cause: 'The object has changed since the ETag in `If-Match` was read.',
    remedy: 'Read it again, look at what changed, and repeat with the new ETag.',
  },
  'payload-too-large': {
    cause: 'The request is larger than the route takes.',
    remedy: 'Send less at once; split an import into several.',
  },
  'unsupported-media-type': {
    cause: 'The body is not of a type that the route takes.',
    remedy: 'Send `Content-Type: application/json`, or what the route asks for.',
  },
  'validation-failed': {
    cause: 'The request can be read, but a value is missing or not allowed.',
    remedy: 'Correct what `errors` points at.',
    members: '`errors: [{pointer, message}]`, `pointer` being a JSON pointer into the request',
  },
  'idempotency-key-reused': {
    cause: 'The `Idempotency-Key` was used with another body.',
    remedy: 'Repeat the request unchanged to get its answer again, or use a new key for a new deed.',
  },
  'too-many-lines': {
    cause: 'There are more than 50 different SKUs.',
    remedy: 'Divide them between several carts or orders.',
  },
  'currency-mismatch': {
    cause: 'A SKU is sold in another currency than the rest; a cart and an order have one.',
    remedy: 'Buy SKUs of different currencies in different carts.',
    members: '`currency`, and `skus` that differ from it',
  },
  'amount-mismatch': {
    cause:
      'The shopper authorised another amount or currency in the browser than the order comes to. Nothing was charged.',
    remedy: 'Let the shopper authorise `total`, and send the new payment key with it.',
    members: '`total`: what the order comes to.',
  },
  'card-number-refused': {
    cause:
      'The request holds 13 to 19 digits that look like a payment card number. It was neither stored nor logged.',
    remedy: "Send the payment provider's token. Separate long digit runs of other meaning with letters.",
  },
  'precondition-required': {
    cause: 'The route changes what others may change too, and there is no `If-Match` header.',
    remedy: 'Send the ETag that was read, or `*` to overwrite whatever is there.',
  },
  'quota-exceeded': {
    cause: 'This client has sent more than its share.',
    remedy: 'Wait for `Retry-After` seconds, then go on more slowly.',
  },
  'internal-error': {
    cause: 'A defect on our side. It has been counted and logged without the contents of the request.',
    remedy: 'Try again, with the same `Idempotency-Key`; quote the `requestId` if it stays.',
  },
  'temporary-reduced-capacity': {
    cause: 'We are too busy, or something that we need is.',
    remedy: 'Wait for `Retry-After` seconds and try again, with the same `Idempotency-Key`.',
  },
};
