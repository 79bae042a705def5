import { describe, expect, it } from 'vitest';
import { mergeImported, productOfRow } from '../../../functions/catalog/domain/import-row.ts';
import type { VersionedProduct } from '../../../functions/catalog/domain/product.ts';

const row = {
  id: '6579c22f-be2b',
  name: 'Backpack',
  category: 'accessories',
  style: 'backpack',
  description: 'Beige.',
  price: '129.99',
};

describe('an imported row', () => {
  it('becomes a product with one SKU, both named after the row', () => {
    expect(productOfRow(row)).toEqual({
      id: 'prd_6579c22f-be2b',
      sku: 'sku_6579c22f-be2b',
      name: 'Backpack',
      description: 'Beige.',
      category: 'accessories',
      style: 'backpack',
      featured: false,
      promoted: false,
      channels: ['web'],
      price: { amount: 12_999, currency: 'USD' },
    });
  });

  it.each([
    [
      { price: '0.30', currency: 'USD' },
      { amount: 30, currency: 'USD' },
    ],
    [{ price: '24999.99' }, { amount: 2_499_999, currency: 'USD' }],
    [
      { price: '13000', currency: 'KRW' },
      { amount: 13_000, currency: 'KRW' },
    ],
    [
      { price: '1.234', currency: 'KWD' },
      { amount: 1_234, currency: 'KWD' },
    ],
  ])('prices %j exactly', (columns, price) => {
    expect(productOfRow({ ...row, ...columns })).toMatchObject({ price });
  });

  it.each([
    [{ where_visible: 'UI' }, ['web']],
    [{ where_visible: 'Alexa' }, ['voice']],
    [{ where_visible: 'All' }, ['web', 'voice']],
  ])('is sold where %j says', (columns, channels) => {
    expect(productOfRow({ ...row, ...columns })).toMatchObject({ channels });
  });

  it.each([
    [{ id: undefined }, /^id: is missing$/],
    [{ id: 'a b' }, /^id: takes/],
    [{ name: undefined }, /^name: is missing$/],
    [{ name: 'x'.repeat(201) }, /^name: /],
    [{ price: undefined }, /^price: is missing$/],
    [{ price: '-1' }, /^price: .*not a decimal/],
    [{ price: '1e3' }, /^price: .*not a decimal/],
    [{ price: '1.999' }, /^price: .*more than 2 decimal places/],
    [{ price: '1.5', currency: 'KRW' }, /^price: .*more than 0 decimal places/],
    [{ currency: 'XYZ' }, /^currency: .*"XYZ"/],
    [{ promoted: 'maybe' }, /^promoted: /],
    [{ gender_affinity: 'X' }, /^gender_affinity: /],
    [{ where_visible: 'TV' }, /^where_visible: /],
    [{ name: undefined, price: undefined }, /^name: is missing; price: is missing$/],
  ])('is refused with a reason: %j', (columns, reason) => {
    const given = Object.entries({ ...row, ...columns }).filter(([, value]) => value !== undefined);
    expect(productOfRow(Object.fromEntries(given) as Record<string, string>)).toEqual({
      reason: expect.stringMatching(reason),
    });
  });

  it('leaves other variants, attributes and a removal as operators made them', () => {
    const imported = productOfRow(row);
    if ('reason' in imported) throw new Error(imported.reason);
    const old = { amount: 1, currency: 'USD' as const };
    const before: VersionedProduct = {
      ...mergeImported(imported, undefined),
      status: 'removed',
      variants: [
        { sku: 'sku_other', attributes: {}, price: old },
        { sku: imported.sku, attributes: { size: 'M' }, price: old },
      ],
      version: 3,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    };
    const after = mergeImported(imported, before);
    expect(after.status).toBe('removed');
    expect(after.variants).toEqual([
      { sku: 'sku_other', attributes: {}, price: old },
      { sku: imported.sku, attributes: { size: 'M' }, price: imported.price },
    ]);
  });
});
