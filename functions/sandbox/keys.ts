/**
 * Keys of the sandbox provider's table.
 *
 * | item | pk | sk | read or written by |
 * |---|---|---|---|
 * | a line of the book | `CHARGE#<authorisation id>` | `CHARGE` | everything; the id follows from the reference |
 * | the answer given to an idempotency key, for 24 hours | `KEY#<key>` | `ANSWER` | every POST |
 * | a payment that a shopper has authorised in the browser, for 24 hours | `PAYMENTKEY#<id>` | `PAYMENTKEY` | `POST /payment-keys`, `POST /payments` |
 * | a webhook that is due: the outbox of the book, for 24 hours | `CHARGE#<authorisation id>` | `EVENT#<change>` | every change; the stream's pipe |
 *
 * The whole book is a scan: it is compared with the store's own after tests, never on a shopper's way.
 */
export const chargeKey = (id: string) => ({ pk: `CHARGE#${id}`, sk: chargeSort });

export const chargeSort = 'CHARGE';

export const answerKey = (idempotencyKey: string) => ({ pk: `KEY#${idempotencyKey}`, sk: 'ANSWER' });

export const paymentKeyKey = (id: string) => ({ pk: `PAYMENTKEY#${id}`, sk: 'PAYMENTKEY' });

export const webhookKey = (chargeId: string, change: number) => ({
  pk: `CHARGE#${chargeId}`,
  sk: `EVENT#${String(change).padStart(6, '0')}`,
});
