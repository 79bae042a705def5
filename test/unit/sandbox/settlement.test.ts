import { describe, expect, test } from 'vitest';
import { settlementFile } from '../../../functions/sandbox/app/settlement.ts';
import { type Charge, chargeIdOf } from '../../../functions/sandbox/domain/charge.ts';
import { memoryBook } from './memory-book.ts';

const day = '2026-11-22';
const over = Date.parse('2026-11-23T00:00:00Z');

function captured(reference: string, at: string, more: Partial<Charge> = {}): Charge {
  return {
    id: chargeIdOf(reference),
    reference,
    token: 'tok_approve',
    currency: 'USD',
    authorized: 10_000,
    captured: 10_000,
    refunds: [],
    state: 'captured',
    authorizedAt: at,
    capturedAt: at,
    version: 1,
    ...more,
  };
}

async function file(...charges: Charge[]): Promise<string[]> {
  const book = memoryBook();
  for (const charge of charges) {
    const kept = { fingerprint: charge.id, status: 201, body: '' };
    expect(await book.commit(charge.id, kept, charge)).toBe(true);
  }
  const lines = (await settlementFile(book, day, over)).split('\r\n');
  // Ids are digests of references.
  return lines.map((line) => line.replace(/(cap|ref|dsp)_\w+/, '$1_'));
}

describe('a settlement file', () => {
  test('tells what moved on the day, by time, its fees, and what was paid out by currency', async () => {
    expect(
      await file(
        captured('ord_B-1', `${day}T09:00:00.000Z`, {
          refunds: [
            { id: 'ref_1', reference: 'rfd_1', amount: 500, at: `${day}T10:00:00.000Z` },
            { id: 'ref_2', reference: 'rfd_2', amount: 500, at: '2026-11-23T00:00:00.000Z' },
          ],
        }),
        captured('ord_A-1', `${day}T08:00:00.000Z`, { currency: 'KRW' }),
        captured('ord_C-1', '2026-11-21T23:59:59.999Z', {
          disputes: [{ id: 'dsp_1', amount: 9_000, at: `${day}T11:00:00.000Z` }],
        }),
        {
          ...captured('ord_D-1', `${day}T12:00:00.000Z`),
          state: 'voided',
          captured: 0,
          capturedAt: undefined,
        },
      ),
    ).toEqual([
      'type,reference,providerId,occurredAt,currency,gross,fee,net',
      `charge,ord_A-1,cap_,${day}T08:00:00.000Z,KRW,10000,290,9710`,
      `charge,ord_B-1,cap_,${day}T09:00:00.000Z,USD,10000,290,9710`,
      `refund,rfd_1,ref_,${day}T10:00:00.000Z,USD,-500,0,-500`,
      `dispute,ord_C-1,dsp_,${day}T11:00:00.000Z,USD,-9000,0,-9000`,
      `payout,pay_${day}-KRW,pay_${day}-KRW,2026-11-23T00:00:00.000Z,KRW,-9710,0,-9710`,
      `payout,pay_${day}-USD,pay_${day}-USD,2026-11-23T00:00:00.000Z,USD,-210,0,-210`,
      '',
    ]);
  });

  test('of a day on which nothing moved has a header only', async () => {
    expect(await file()).toHaveLength(2);
  });

  test.each(['2026-11-23', '2026-99-99'])(
    'is not there for %s, which is not over or no date',
    async (date) => {
      await expect(settlementFile(memoryBook(), date, over)).rejects.toMatchObject({
        status: 404,
        code: 'not-settled',
      });
    },
  );
});
