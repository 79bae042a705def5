import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signToken } from '../../../functions/admission/domain/token.ts';
import { claimItems, returnItem, type SkuDrop } from '../../../functions/admission/published.ts';
import { admissionOf, admit, refuseEntries } from '../../../functions/order/app/admit.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const now = 1_000_000;
const drop: SkuDrop = {
  dropId: 'drp_A',
  skus: ['sku_a', 'sku_b'],
  opensAt: now - 1,
  closesAt: now + 60_000,
  perCustomerLimit: 3,
  publicKey: publicKey.export({ format: 'der', type: 'spki' }).toString('base64'),
};
const claims = { drop: 'drp_A', sub: 'customer-1', position: 7, ticket: 'tkt_A', exp: now / 1_000 + 30 };
const token = signToken(claims, privateKey);
const world = { now: () => now, fallbackSlot: async () => undefined };

/** What becomes of an order for units of two SKUs of the drop. */
const asked = (
  request: { admissions?: string[]; drops?: SkuDrop[]; units?: [number, number]; slot?: boolean } = {},
) => {
  const { admissions = [token], drops = [drop], units = [2, 1], slot = false } = request;
  const demand = new Map([
    ['sku_a', units[0]],
    ['sku_b', units[1]],
    ['sku_c', 5],
  ]);
  const ports = slot ? { ...world, fallbackSlot: async () => ({ second: 1_000, slot: 4 }) } : world;
  return admit(ports, { admissions, customerId: 'customer-1' }, { drops, demand });
};

describe('admission of an order', () => {
  it('asks for nothing where nothing is sold in a drop', async () => {
    expect(await asked({ drops: [], admissions: [] })).toEqual([]);
  });

  it('takes the token of the drop, and counts the units of all its SKUs', async () => {
    const other = signToken({ ...claims, drop: 'drp_B' }, privateKey);
    const [entry] = await asked({ admissions: [other, token] });
    expect(entry).toMatchObject({ dropId: 'drp_A', units: 3, by: { position: 7 } });
    expect(admissionOf(entry!)).toEqual({ dropId: 'drp_A', position: 7, units: 3 });
  });

  it('is refused without one, before the drop opens, and beyond the limit', async () => {
    await expect(asked({ admissions: [] })).rejects.toMatchObject({
      code: 'admission-required',
      members: { dropId: 'drp_A', ticketsAt: '/v1/drops/drp_A/tickets' },
    });
    await expect(asked({ drops: [{ ...drop, opensAt: now + 1_500 }] })).rejects.toMatchObject({
      code: 'drop-not-open',
      members: { retryAfterSeconds: 2 },
    });
    await expect(asked({ units: [3, 1] })).rejects.toMatchObject({
      code: 'customer-limit',
      members: { limit: 3 },
    });
    const four = Array.from({ length: 4 }, (_, n) => ({ ...drop, dropId: `drp_${n}` }));
    await expect(asked({ drops: four })).rejects.toMatchObject({ code: 'validation-failed' });
  });

  it('takes a slot of the fallback rate while the waiting room is out of order', async () => {
    const [entry] = await asked({ admissions: [], slot: true });
    expect(entry?.by).toEqual({ second: 1_000, slot: 4 });
    expect(admissionOf(entry!)).toEqual({ dropId: 'drp_A', units: 3 });
    expect(() => refuseEntries([{ dropId: 'drp_A', why: 'used' }], [entry!])).toThrow(
      expect.objectContaining({ code: 'temporary-reduced-capacity' }),
    );
  });

  it('says why the transaction refused it; what was only busy is tried again', async () => {
    const entries = await asked();
    expect(() => refuseEntries([{ dropId: 'drp_A', why: 'used' }], entries)).toThrow(
      expect.objectContaining({ code: 'admission-used' }),
    );
    expect(() => refuseEntries([{ dropId: 'drp_A', why: 'limit', bought: 2 }], entries)).toThrow(
      expect.objectContaining({ code: 'customer-limit', members: { dropId: 'drp_A', limit: 3, bought: 2 } }),
    );
    expect(refuseEntries([{ dropId: 'drp_A', why: 'busy' }], entries)).toBeUndefined();
  });

  it('gives back to the limit what it took from it', async () => {
    const [entry] = await asked();
    const [, limit] = claimItems('admission', entry!);
    const back = returnItem('admission', entry!);
    expect(back.Update?.Key).toEqual(limit.Update?.Key);
    expect(back.Update?.ExpressionAttributeValues).toEqual({ ':units': -3 });
    expect(limit.Update?.ExpressionAttributeValues).toMatchObject({ ':units': 3, ':room': 0 });
  });
});
