import type { TableSpec } from '../../lib/constructs/function-spec.ts';

export const catalogTable: TableSpec = {
  name: 'catalog',
  indexes: [
    {
      name: 'by-update',
      partitionKey: 'feed',
      sortKey: 'feedAt',
      projection: [
        'id',
        'name',
        'description',
        'category',
        'style',
        'image',
        'genderAffinity',
        'featured',
        'promoted',
        'channels',
        'status',
        'variants',
        'createdAt',
        'updatedAt',
      ],
    },
  ],
};
