import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { loadEvents } from '../adapters/event-store.ts';
import { ownOrder } from '../app/read-orders.ts';
import { getOrder as route } from '../contract.ts';
import { viewOf } from '../domain/view.ts';

const { ORDER_TABLE: table } = environment('ORDER_TABLE');
const ports = { load: (orderId: string) => loadEvents(documents, table, orderId) };

export const handler = httpHandler(route, async ({ caller, params }) => {
  const { order } = await ownOrder(ports, caller.customerId, params.orderId);
  return { status: 200, body: viewOf(order), headers: { etag: `"${order.version}"` } };
});
