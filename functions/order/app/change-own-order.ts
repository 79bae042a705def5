import { canonicalJson, derivedId, digest } from '../../kernel/ids.ts';
import { type Decision, decideCancellation, decidePayment, type PaymentMeans } from '../domain/decide.ts';
import type { Order } from '../domain/order.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';
import { noSuchOrder } from './read-orders.ts';
import { cancellationRefundId } from './record-outcome.ts';

interface Own {
  readonly customerId: string;
  readonly orderId: string;
}

/** Opens a payment attempt. @throws DomainError `not-found`, and what `decidePayment` throws */
export const payOrder =
  (ports: ChangePorts) =>
  (own: Own, payment: PaymentMeans, idempotencyKey: string): Promise<Order> => {
    const request = {
      ...payment,
      keyHash: derivedId('pay', own.orderId, idempotencyKey),
      requestHash: digest(canonicalJson(payment)),
    };
    return change(ports, own, (order) => decidePayment(order, { ...request, now: ports.now() }));
  };

/** Cancels, or records the wish to. @throws DomainError `not-found`, and what `decideCancellation` throws */
export const cancelOrder =
  (ports: ChangePorts) =>
  (own: Own): Promise<Order> =>
    change(ports, own, (order) => decideCancellation(order, cancellationRefundId(order.id)));

async function change(ports: ChangePorts, own: Own, decide: (order: Order) => Decision): Promise<Order> {
  const order = await changeOrder(ports, own.orderId, (current) => {
    if (current.placed.customerId !== own.customerId) throw noSuchOrder(own.orderId);
    return decide(current);
  });
  if (!order) throw noSuchOrder(own.orderId);
  return order;
}
