import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { payOrder } from '../app/change-own-order.ts';
import { payOrder as route } from '../contract.ts';
import { viewOf } from '../domain/view.ts';

const { ORDER_TABLE: order } = environment('ORDER_TABLE');
const pay = payOrder(changePorts({ order }));

export const handler = httpHandler(route, async ({ caller, params, body, idempotencyKey }) => {
  const paid = await pay({ customerId: caller.customerId, orderId: params.orderId }, body, idempotencyKey);
  return { status: 202, body: viewOf(paid), headers: { location: `/v1/orders/${paid.id}` } };
});
