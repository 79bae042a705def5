import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { cancelOrder } from '../app/change-own-order.ts';
import { cancelOrder as route } from '../contract.ts';
import { viewOf } from '../domain/view.ts';

const env = environment('ORDER_TABLE', 'INVENTORY_TABLE', 'ADMISSION_TABLE');
const { ORDER_TABLE: order, INVENTORY_TABLE: inventory, ADMISSION_TABLE: admission } = env;
const cancel = cancelOrder(changePorts({ order, inventory, admission }));

export const handler = httpHandler(route, async ({ caller, params }) => {
  const cancelled = await cancel({ customerId: caller.customerId, orderId: params.orderId });
  return { status: 202, body: viewOf(cancelled), headers: { location: `/v1/orders/${cancelled.id}` } };
});
