import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const financeTable: TableSpec = { name: 'finance' };
