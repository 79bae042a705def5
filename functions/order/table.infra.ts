import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const orderTable: TableSpec = {
  name: 'order',
  events: true,
  indexes: [
    { name: 'by-customer', partitionKey: 'customerKey', sortKey: 'placedKey', projection: 'KEYS_ONLY' },
    { name: 'by-due', partitionKey: 'dueKey', sortKey: 'dueAt', projection: 'KEYS_ONLY' },
  ],
};
