import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const limitsTable: TableSpec = { name: 'limits', expiresBy: 'expiresAt' };
