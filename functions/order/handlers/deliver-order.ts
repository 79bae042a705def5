import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { deliverOrder } from '../app/ship-order.ts';
import { deliverOrder as route } from '../contract.ts';
import { viewOf } from '../domain/view.ts';

const { ORDER_TABLE: order } = environment('ORDER_TABLE');
const deliver = deliverOrder(changePorts({ order }));

export const handler = httpHandler(route, async ({ params }) => ({
  status: 200,
  body: viewOf(await deliver(params.orderId)),
}));
