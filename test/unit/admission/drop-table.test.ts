import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropTable } from '../../../functions/admission/adapters/drop-table.ts';
import { dropsAmong, readEntries } from '../../../functions/admission/published.ts';
import { admissionTable } from '../../../functions/admission/table.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { opening, someDrop } from './given.ts';

let dynamo: TestDynamo;
beforeAll(async () => {
  dynamo = await startDynamo(admissionTable);
});
afterAll(() => dynamo?.stop());

const hour = 3_600_000;
const table = () => dropTable(dynamo.documents, dynamo.table('admission'), () => opening - hour);
const demanding = async (now: number) => {
  const entries = await readEntries(dynamo.documents, dynamo.table('admission'), ['sku_a', 'sku_b']);
  return dropsAmong(entries, now).map(({ dropId, skus }) => [dropId, skus]);
};

it('sells a SKU in the drop that is open, whatever others of it have been announced', async () => {
  await table().save(
    someDrop({
      id: 'drp_B',
      skus: ['sku_a', 'sku_b'],
      opensAt: opening + 2 * hour,
      closesAt: opening + 3 * hour,
    }),
  );
  await table().save(someDrop({ id: 'drp_A', closesAt: opening + hour }));
  expect(await demanding(opening + 1)).toEqual([
    ['drp_A', ['sku_a']],
    ['drp_B', ['sku_b']],
  ]);
  expect(await demanding(opening + hour)).toEqual([['drp_B', ['sku_a', 'sku_b']]]);
  expect(await demanding(opening + 3 * hour)).toEqual([]);
});

it('refuses a drop that overlaps another of its SKUs', async () => {
  const overlapping = someDrop({ id: 'drp_C', opensAt: opening + hour / 2, closesAt: opening + hour + 1 });
  await expect(table().save(overlapping)).rejects.toMatchObject({ code: 'already-exists' });
});
