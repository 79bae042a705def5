import type { TableSpec } from '../../lib/constructs/function-spec.ts';

/** What operators have done. No function has a right to it: levers write it with the operator's own credentials. */
export const operationsTable: TableSpec = { name: 'operations' };
