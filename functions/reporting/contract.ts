import * as z from 'zod/mini';
import { type EventContract, id, instant, listOf, money, page, route } from '../kernel/contract.ts';
import * as orders from '../order/contract.ts';

const { order, listOrderEvents } = orders;

/** Everything that can happen to an order, whatever is added to its contract. */
export const followedEvents: readonly EventContract[] = Object.values<object>(orders).filter(isEvent);

function isEvent(declared: object): declared is EventContract {
  return 'source' in declared && 'version' in declared && 'body' in declared;
}

const orderId = order.shape.id;
const { status } = order.shape;

/** An order as a line of the operators' list. It follows the order's events by seconds. */
const orderRow = z.object({
  id: orderId,
  number: order.shape.number,
  customerId: z.string(),
  status,
  paymentStatus: order.shape.payment.shape.status,
  total: money,
  refunded: money,
  placedAt: instant,
  updatedAt: instant,
  /** The newest event that the line knows of. */
  seq: z.int(),
});
export type OrderRow = z.infer<typeof orderRow>;

export const listAdminOrders = route({
  id: 'listAdminOrders',
  method: 'GET',
  path: '/v1/admin/orders',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Orders of all customers by status and time, newest first. A page may be short and have a next one',
  query: z.object({
    ...page,
    status: z.optional(status),
    /** Placed at this moment or later. */
    from: z.optional(instant),
    /** Placed before this moment. */
    to: z.optional(instant),
  }),
  responses: { 200: listOf(orderRow) },
  problems: ['invalid-cursor', 'temporary-reduced-capacity'],
});

export const getAdminOrder = route({
  id: 'getAdminOrder',
  method: 'GET',
  path: '/v1/admin/orders/{orderId}',
  audience: 'operators',
  priority: 'operate',
  summary: "Any customer's order, with its customer and its history, as it is now",
  params: z.object({ orderId: id('ord') }),
  responses: {
    200: z.object({ order, customerId: z.string(), events: listOrderEvents.responses[200].shape.items }),
  },
  problems: ['not-found'],
});
