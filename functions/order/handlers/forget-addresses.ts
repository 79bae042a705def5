import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { dynamoOldOrders } from '../adapters/old-orders.ts';
import { forgetAddresses } from '../app/forget-addresses.ts';

const { ORDER_TABLE, ADDRESS_DAYS } = environment('ORDER_TABLE', 'ADDRESS_DAYS');

export const handler = forgetAddresses({
  now: systemNow,
  keepDays: Number(ADDRESS_DAYS),
  orders: dynamoOldOrders(documents, ORDER_TABLE),
});
