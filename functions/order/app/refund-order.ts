import type { Money } from '../../kernel/contract.ts';
import { DomainError } from '../../kernel/errors.ts';
import { canonicalJson, derivedId, digest } from '../../kernel/ids.ts';
import { decideRefund } from '../domain/decide.ts';
import { currencyOf, type Order } from '../domain/order.ts';
import { moneyIn } from '../domain/view.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

export interface RefundRequest {
  readonly amount?: Money | undefined;
  readonly lines?: readonly { readonly sku: string; readonly quantity: number }[] | undefined;
  readonly reason: string;
}

/**
 * Promises a refund; the saga carries it out. The same key gives the same refund.
 * @throws DomainError `not-found`, `order-state`, `currency-mismatch`, `validation-failed`, `idempotency-key-reused`
 */
export const refundOrder =
  (ports: ChangePorts) => async (orderId: string, request: RefundRequest, idempotencyKey: string) => {
    // Three parts: no key can name the refund of a cancellation, which has two.
    const refundId = derivedId('rfd', orderId, 'operator', idempotencyKey);
    const requestHash = digest(canonicalJson(request));
    const order = await changeOrder(ports, orderId, (current) =>
      decideRefund(current, {
        refundId,
        requestHash,
        ...askedFor(current, request),
        reason: request.reason,
      }),
    );
    const refund = order?.refunds.find(({ id }) => id === refundId);
    if (!order || !refund) throw new DomainError('not-found', `There is no order ${orderId}.`);
    const { status, reason } = refund;
    return { id: refundId, orderId, amount: moneyIn(order)(refund.amount), status, reason };
  };

/** An amount in minor units, or lines; neither for all that is left. */
function askedFor(order: Order, { amount, lines }: RefundRequest) {
  if (amount && lines) {
    throw new DomainError('validation-failed', 'Send either amount or lines, not both.', {
      errors: [{ pointer: '#/amount', message: 'not together with lines' }],
    });
  }
  if (amount && amount.currency !== currencyOf(order)) {
    throw new DomainError('currency-mismatch', `The order is in ${currencyOf(order)}.`);
  }
  return { amount: amount?.amount, lines };
}
