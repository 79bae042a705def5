import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { dynamoDueOrders } from '../adapters/due-orders.ts';
import { sweepDue } from '../app/sweep-due.ts';

const { ORDER_TABLE: order, INVENTORY_TABLE: inventory } = environment('ORDER_TABLE', 'INVENTORY_TABLE');

export const handler = sweepDue({
  ...changePorts({ order, inventory }),
  due: dynamoDueOrders(documents, order),
});
