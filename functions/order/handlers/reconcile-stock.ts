import { everyShard } from '../../inventory/published.ts';
import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { driftMark, everyEvent } from '../adapters/stock-books.ts';
import { reconcileStock } from '../app/reconcile-stock.ts';

const { ORDER_TABLE, INVENTORY_TABLE } = environment('ORDER_TABLE', 'INVENTORY_TABLE');

export const handler = reconcileStock({
  shards: () => everyShard(documents, INVENTORY_TABLE),
  events: () => everyEvent(documents, ORDER_TABLE),
  keep: driftMark(documents, ORDER_TABLE).keep,
});
