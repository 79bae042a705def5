import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const admissionTable: TableSpec = { name: 'admission', expiresBy: 'expiresAt' };
