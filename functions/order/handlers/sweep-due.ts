import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { dynamoDueOrders } from '../adapters/due-orders.ts';
import { sweepDue } from '../app/sweep-due.ts';

const env = environment('ORDER_TABLE', 'INVENTORY_TABLE', 'ADMISSION_TABLE');
const { ORDER_TABLE: order, INVENTORY_TABLE: inventory, ADMISSION_TABLE: admission } = env;

export const handler = sweepDue({
  ...changePorts({ order, inventory, admission }),
  due: dynamoDueOrders(documents, order),
});
