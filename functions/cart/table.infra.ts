import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const cartTable: TableSpec = { name: 'cart', expiresBy: 'expiresAt' };
