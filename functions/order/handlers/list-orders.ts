import { nextLink } from '../../kernel/cursor.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { listOrderIds, loadEvents } from '../adapters/event-store.ts';
import { listOwnOrders } from '../app/read-orders.ts';
import { listOrders as route } from '../contract.ts';

const { ORDER_TABLE: table } = environment('ORDER_TABLE');
const ports = {
  load: (orderId: string) => loadEvents(documents, table, orderId),
  listIds: (...page: [customerId: string, limit: number, after: readonly [string, string] | undefined]) =>
    listOrderIds(documents, table, ...page),
};

export const handler = httpHandler(route, async (request) => {
  const page = await listOwnOrders(ports, request.caller.customerId, request.query);
  return { status: 200, body: page, headers: nextLink(route.path, request.query, page.next) };
});
