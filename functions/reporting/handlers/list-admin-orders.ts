import { nextLink } from '../../kernel/cursor.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { placedOrders } from '../adapters/row-table.ts';
import { listAdminOrders } from '../app/list-admin-orders.ts';
import { listAdminOrders as route } from '../contract.ts';

const env = environment('REPORTING_TABLE');
const list = listAdminOrders(placedOrders(documents, env.REPORTING_TABLE));

export const handler = httpHandler(route, async (request) => {
  const page = await list(request.query);
  return { status: 200, body: page, headers: nextLink(route.path, request.query, page.next) };
});
