import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { readOrder } from '../../order/published.ts';
import { getAdminOrder } from '../app/get-admin-order.ts';
import { getAdminOrder as route } from '../contract.ts';

const env = environment('ORDER_TABLE');
const ports = { readOrder: (orderId: string) => readOrder(documents, env.ORDER_TABLE, orderId) };

export const handler = httpHandler(route, getAdminOrder(ports));
