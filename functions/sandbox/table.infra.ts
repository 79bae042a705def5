import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const sandboxTable: TableSpec = { name: 'sandbox', events: true, expiresBy: 'expiresAt' };
