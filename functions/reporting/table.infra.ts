import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const reportingTable: TableSpec = {
  name: 'reporting',
  indexes: [{ name: 'by-placed', partitionKey: 'placedKey', sortKey: 'placing', projection: 'KEYS_ONLY' }],
};
