import { environment } from '../../kernel/env.ts';
import { httpHandler, nextLink } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { listOrderIds, loadEvents } from '../adapters/event-store.ts';
import { listOwnOrders } from '../app/read-orders.ts';
import { listOrders as route } from '../contract.ts';

const { ORDER_TABLE: table } = environment('ORDER_TABLE');
const ports = {
  load: (orderId: string) => loadEvents(documents, table, orderId),
  listIds: (customer: string, limit: number, after: unknown) =>
    listOrderIds(documents, table, customer, limit, after),
};

export const handler = httpHandler(route, async (request) => {
  const page = await listOwnOrders(ports, request.caller.customerId, request.query);
  return { status: 200, body: page, headers: nextLink(request, route, page.next) };
});
