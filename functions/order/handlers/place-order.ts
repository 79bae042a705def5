import { admissionHeader } from '../../admission/contract.ts';
import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { placementPorts } from '../adapters/placement-ports.ts';
import { placeOrder } from '../app/place-order.ts';
import { placeOrder as route } from '../contract.ts';

const tables = environment(
  'ORDER_TABLE',
  'CART_TABLE',
  'CATALOG_TABLE',
  'INVENTORY_TABLE',
  'ADMISSION_TABLE',
);
const place = placeOrder(
  placementPorts(documents, tables, { now: systemNow, sleep: systemSleep, random: Math.random }),
);

export const handler = httpHandler(route, async (request) => {
  const { body, caller, idempotencyKey, locale, traceparent, headers } = request;
  const { order, replayed } = await place({
    customerId: caller.customerId,
    idempotencyKey,
    body,
    locale,
    traceparent,
    admissions: (headers[admissionHeader] ?? '').split(/[\s,]+/).filter(Boolean),
  });
  const replay = replayed ? { 'idempotent-replayed': 'true' } : {};
  return {
    status: 201,
    body: order,
    headers: { location: `/v1/orders/${order.id}`, etag: `"${order.version}"`, ...replay },
  };
});
