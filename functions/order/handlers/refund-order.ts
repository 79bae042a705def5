import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { refundOrder } from '../app/refund-order.ts';
import { refundOrder as route } from '../contract.ts';

const { ORDER_TABLE: order } = environment('ORDER_TABLE');
const refund = refundOrder(changePorts({ order }));

export const handler = httpHandler(route, async ({ params, body, idempotencyKey }) => ({
  status: 201,
  body: await refund(params.orderId, body, idempotencyKey),
}));
