import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const inventoryTable: TableSpec = { name: 'inventory' };
