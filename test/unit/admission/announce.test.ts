import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dropTable } from '../../../functions/admission/adapters/drop-table.ts';
import { announceDrop } from '../../../functions/admission/app/announce-drop.ts';
import type { NewDrop } from '../../../functions/admission/contract.ts';
import { settlingMs } from '../../../functions/admission/domain/drop.ts';
import { createDrop } from '../../../functions/admission/handlers/create-drop.infra.ts';
import { dropsAmong, heldStill, readEntries } from '../../../functions/admission/published.ts';
import { admissionTable } from '../../../functions/admission/table.infra.ts';
import { changeProduct } from '../../../functions/catalog/handlers/change-product.infra.ts';
import { importProducts } from '../../../functions/catalog/handlers/import-products.infra.ts';
import { isoInstant } from '../../../functions/kernel/clock.ts';
import { placeOrder } from '../../../functions/order/handlers/place-order.infra.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';
import { opening } from './given.ts';

const minute = 60_000;
let now = opening;
let dynamo: TestDynamo;
let table: ReturnType<typeof dropTable>;
beforeAll(async () => {
  dynamo = await startDynamo(admissionTable);
  table = dropTable(dynamo.documents, dynamo.table('admission'), () => now);
});
afterAll(() => dynamo?.stop());

let keys = 0;
function announce(sku: string, body: Partial<NewDrop>, key = `key-${++keys}`) {
  const ports = {
    now: () => now,
    find: table.find,
    save: table.save,
    unstocked: async () => [],
    newKeys: async () => ({ publicKey: 'public', wrappedKey: 'wrapped' }),
    newOrderKey: () => 'order',
  };
  return announceDrop(ports)('operator-1', key, {
    name: 'Moon jar',
    skus: [sku],
    closesAt: isoInstant(now + 60 * minute),
    perCustomerLimit: 1,
    admission: { rate: 1 },
    fallbackPerSecond: 1,
    holdSeconds: 30,
    arrivalShards: 1,
    ...body,
  });
}

const held = async (sku: string, at: number) =>
  (await heldStill(dynamo.documents, dynamo.table('admission'), [sku], at)).get(sku);

describe('a drop', () => {
  it('is announced so early that every order under way by then has ended when it opens', async () => {
    const seconds = (spec: { timeoutSeconds?: number }) => spec.timeoutSeconds ?? 10;
    const longest = Math.max(...[placeOrder, changeProduct, importProducts].map(seconds));
    // What was sent arrives within a minute (bench/simulation/scheduler.ts), clocks differ by two seconds.
    expect((seconds(createDrop) + longest + 61 + 2) * 1_000).toBeLessThan(settlingMs);

    await expect(announce('sku_early', { opensAt: isoInstant(now + settlingMs - 1) })).rejects.toMatchObject({
      code: 'validation-failed',
      message: expect.stringMatching('at least 120 seconds ahead; leave it out'),
      members: { errors: [{ pointer: '#/opensAt' }] },
    });
    const { drop } = await announce('sku_early', { opensAt: isoInstant(now + settlingMs) });
    expect(drop.opensAt).toBe(now + settlingMs);
  });

  it('that does not say when it opens does so as soon as it may, also when it is sent again', async () => {
    const closesAt = isoInstant(now + 60 * minute);
    const { drop } = await announce('sku_soon', { closesAt }, 'soon');
    expect(drop.opensAt).toBe(now + settlingMs);
    now += minute;
    const again = await announce('sku_soon', { closesAt }, 'soon');
    expect(again).toEqual({ drop, replayed: true });
  });

  it('closes after it has opened', async () => {
    await expect(announce('sku_short', { closesAt: isoInstant(now + minute) })).rejects.toMatchObject({
      members: { errors: [{ pointer: '#/closesAt' }] },
    });
  });
});

describe('the terms of a SKU', () => {
  it('stand still from before its drop opens until after it has closed', async () => {
    const opensAt = now + 60 * minute;
    const closesAt = opensAt + minute;
    const times = { opensAt: isoInstant(opensAt), closesAt: isoInstant(closesAt) };
    const { drop } = await announce('sku_a', times);
    const at = [opensAt - settlingMs - 1, opensAt - settlingMs, closesAt + settlingMs - 1];
    expect(await Promise.all(at.map((one) => held('sku_a', one)))).toEqual([undefined, drop.id, drop.id]);
    expect(await held('sku_a', closesAt + settlingMs)).toBeUndefined();
    expect(await held('sku_other', opensAt)).toBeUndefined();
  });

  it('stand still for a while when an operator closes the drop, whatever is announced then', async () => {
    const { drop } = await announce('sku_b', {});
    now = drop.opensAt + minute;
    expect(await table.change({ ...drop, closesAt: now, version: 2 }, drop)).toBe(true);
    await announce('sku_b', { opensAt: isoInstant(now + 30 * minute) });
    expect(await held('sku_b', now + settlingMs - 1)).toBe(drop.id);
    expect(await held('sku_b', now + settlingMs)).toBeUndefined();
    // Nobody needs an admission of it any more.
    const entries = await readEntries(dynamo.documents, dynamo.table('admission'), ['sku_b']);
    expect(entries.get('sku_b')).toHaveLength(2);
    expect(dropsAmong(entries, now).map(({ dropId }) => dropId)).not.toContain(drop.id);
  });
});
