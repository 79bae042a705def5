/**
 * Keys of the sandbox provider's table.
 *
 * | item | pk | sk | read or written by |
 * |---|---|---|---|
 * | a line of the book | `CHARGE#<authorisation id>` | `CHARGE` | everything; the id follows from the reference |
 * | the answer given to an idempotency key, for 24 hours | `KEY#<key>` | `ANSWER` | every POST |
 *
 * The whole book is a scan: it is compared with the store's own after tests, never on a shopper's way.
 */
export const chargeKey = (id: string) => ({ pk: `CHARGE#${id}`, sk: chargeSort });

export const chargeSort = 'CHARGE';

export const answerKey = (idempotencyKey: string) => ({ pk: `KEY#${idempotencyKey}`, sk: 'ANSWER' });
