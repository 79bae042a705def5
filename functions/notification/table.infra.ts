import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const notificationTable: TableSpec = { name: 'notification' };
