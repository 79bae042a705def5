import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { loadEvents } from '../adapters/event-store.ts';
import { historyOf, ownOrder } from '../app/read-orders.ts';
import { listOrderEvents as route } from '../contract.ts';

const { ORDER_TABLE: table } = environment('ORDER_TABLE');
const ports = { load: (orderId: string) => loadEvents(documents, table, orderId) };

export const handler = httpHandler(route, async ({ caller, params }) => {
  const { events } = await ownOrder(ports, caller.customerId, params.orderId);
  return { status: 200, body: historyOf(events) };
});
