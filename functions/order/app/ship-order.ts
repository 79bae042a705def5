import { DomainError } from '../../kernel/errors.ts';
import { type Decision, decideDelivery, decideFulfilment } from '../domain/decide.ts';
import type { Order } from '../domain/order.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

/** The operator has handed the goods to the carrier. @throws DomainError `not-found`, `order-state` */
export const fulfilOrder = (ports: ChangePorts) => (orderId: string) =>
  ship(ports, orderId, decideFulfilment);

/** The goods have reached the shopper. @throws DomainError `not-found`, `order-state` */
export const deliverOrder = (ports: ChangePorts) => (orderId: string) => ship(ports, orderId, decideDelivery);

async function ship(ports: ChangePorts, orderId: string, decide: (order: Order) => Decision): Promise<Order> {
  const order = await changeOrder(ports, orderId, decide);
  if (!order) throw new DomainError('not-found', `There is no order ${orderId}.`);
  return order;
}
