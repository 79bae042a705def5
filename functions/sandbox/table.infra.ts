import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const sandboxTable: TableSpec = { name: 'sandbox', expiresBy: 'expiresAt' };
