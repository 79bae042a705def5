import { createHash } from 'node:crypto';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../../functions/finance/domain/journal.ts';
import { type Currency, currency } from '../../../functions/kernel/contract.ts';
import { parseDecimal } from '../../../functions/kernel/money.ts';
import { exportWorld } from './export-world.ts';
import { anySale, entriesOf, type Sale, totalOf } from './sales.ts';

const date = '2026-11-22';
const plan = { date, timeZone: 'Asia/Seoul', state: 'ready' } as const;
const names = ['journal.csv', 'journal.parquet', 'summary.csv', 'orders.csv'];

function world(entries: readonly JournalEntry[]) {
  const made = exportWorld(entries);
  const { bucket, keyOf } = made;
  return {
    ...made,
    rows: (name: string, day = date) =>
      parse(bucket.get(keyOf(day, name))!, { columns: true }) as Record<string, string>[],
  };
}

const won: Sale = {
  orderId: 'ord_A1',
  at: '2026-11-22T03:00:00.000Z',
  currency: 'KRW',
  subtotal: 45_000,
  discount: 2_000,
  shipping: 3_000,
  tax: 3_909,
  taxIncluded: true,
};
const dollars: Sale = { ...won, orderId: 'ord_B2', at: '2026-11-22T02:00:00.000Z', currency: 'USD' };
const dinars: Sale = { ...won, orderId: 'ord_C3', currency: 'KWD', taxIncluded: false };
const entries = [
  ...entriesOf(won, [totalOf(won)]),
  ...entriesOf(dollars, [1_000, 1]),
  ...entriesOf(dinars, []),
];

describe('the files', () => {
  let w: ReturnType<typeof world>;
  beforeEach(async () => {
    w = world(entries);
    await w.files(plan);
  });

  test('journal.csv has a row for each posting, by time, in plain decimals', () => {
    const rows = w.rows('journal.csv');
    expect(rows).toHaveLength(entries.flatMap(({ postings }) => postings).length);
    expect(rows[0]).toEqual({
      entryId: 'jrn_B2-10',
      businessDate: date,
      occurredAt: '2026-11-22T02:00:00.000Z',
      orderId: 'ord_B2',
      eventId: 'evt_B2-10',
      reference: 'rfd_B210',
      kind: 'refund',
      account: 'sales-returns',
      debit: '8.50',
      credit: '0.00',
      currency: 'USD',
    });
    expect(rows.filter(({ currency }) => currency === 'KWD').map(({ debit }) => debit)).toContain('49.909');
  });

  test('summary.csv has the totals of each account and currency', () => {
    expect(w.rows('summary.csv')).toContainEqual({
      account: 'payment-clearing',
      currency: 'KRW',
      debit: '46000',
      credit: '46000',
    });
  });

  test('orders.csv tells what came in and went back for each order', () => {
    expect(w.rows('orders.csv')).toEqual([
      { orderId: 'ord_A1', currency: 'KRW', captured: '46000', refunded: '46000' },
      { orderId: 'ord_B2', currency: 'USD', captured: '460.00', refunded: '10.01' },
      { orderId: 'ord_C3', currency: 'KWD', captured: '49.909', refunded: '0.000' },
    ]);
  });
});

test('the manifest comes last and says of each file what lies there', async () => {
  const w = world(entries);
  const manifest = await w.manifest(await w.files(plan));
  expect(w.writes.at(-1)).toBe(`exports/${date}/manifest.json`);
  expect(JSON.parse(w.bucket.get(`exports/${date}/manifest.json`)!.toString())).toEqual(manifest);
  expect(manifest).toMatchObject({
    schemaVersion: 3,
    previous: null,
    date,
    timeZone: 'Asia/Seoul',
    balanced: true,
    generatedFrom: {
      entries: 6,
      firstOccurredAt: dollars.at,
      lastOccurredAt: won.at,
      days: { [date]: 6 },
    },
    totals: {
      KRW: { debit: 94_000, credit: 94_000 },
      KWD: { debit: 51_909, credit: 51_909 },
      USD: { debit: 49_001, credit: 49_001 },
    },
  });
  expect(manifest.files.map(({ name }) => name)).toEqual(names);
  for (const { name, rows, bytes, sha256 } of manifest.files) {
    const content = w.bucket.get(`exports/${date}/${sha256}/${name}`)!;
    expect(rows).toBe(w.rows(name.replace('.parquet', '.csv')).length);
    expect(bytes).toBe(content.length);
    expect(sha256).toBe(createHash('sha256').update(content).digest('hex'));
  }
});

test('a day without a sale has files without rows, and a manifest', async () => {
  const w = world([]);
  const manifest = await w.manifest(await w.files(plan));
  expect(manifest).toMatchObject({ generatedFrom: { entries: 0 }, totals: {}, balanced: true });
  expect(w.rows('journal.csv')).toEqual([]);
});

test('running again over the same entries, in any order, writes the same bytes', async () => {
  const journal = fc.array(anySale, { maxLength: 6 }).chain((sales) => {
    const all = sales.flatMap((sale, index) =>
      entriesOf({ ...sale, at: won.at, orderId: `ord_${index}` }, [Math.floor(totalOf(sale) / 2)]),
    );
    return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }));
  });
  await fc.assert(
    fc.asyncProperty(journal, async ([all, shuffled]) => {
      const [first, second] = [world(all), world(shuffled)];
      await first.manifest(await first.files(plan));
      await second.manifest(await second.files(plan));
      expect(second.bucket).toEqual(first.bucket);
    }),
    { numRuns: 50 },
  );
});

test('the manifest totals are what the rows of the journal sum to, to the minor unit', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anySale, { minLength: 1, maxLength: 6 }), async (sales) => {
      const w = world(sales.flatMap((sale) => entriesOf({ ...sale, at: won.at }, [totalOf(sale)])));
      const manifest = await w.manifest(await w.files(plan));
      for (const code of currency.options as readonly Currency[]) {
        const rows = w.rows('journal.csv').filter((row) => row.currency === code);
        const sum = (side: 'debit' | 'credit') =>
          rows.reduce((total, row) => total + parseDecimal(row[side]!, code).amount, 0);
        expect(manifest.totals[code] ?? { debit: 0, credit: 0 }).toEqual({
          debit: sum('debit'),
          credit: sum('credit'),
        });
      }
    }),
    { numRuns: 50 },
  );
});

describe('there is no manifest', () => {
  test('when debits and credits differ', async () => {
    const [entry] = entries;
    const crooked = { ...entry!, postings: entry!.postings.slice(1) };
    const w = world([crooked]);
    await expect(w.files(plan).then(w.manifest)).rejects.toMatchObject({ name: 'internal-error' });
    expect(w.writes).not.toContain(`exports/${date}/manifest.json`);
  });

  test.each([
    ['is missing', (bucket: Map<string, Buffer>, key: string) => bucket.delete(key)],
    ['is another', (bucket: Map<string, Buffer>, key: string) => bucket.set(key, Buffer.from('account\r\n'))],
  ])('when a file %s', async (_, damage) => {
    const w = world(entries);
    const draft = await w.files(plan);
    damage(w.bucket, w.keyOf(date, 'summary.csv'));
    await expect(w.manifest(draft)).rejects.toThrow('summary.csv');
    expect(w.writes).not.toContain(`exports/${date}/manifest.json`);
  });
});

describe('day after day', () => {
  const on = (day: string, orderId: string): Sale => ({ ...won, orderId, at: `${day}T03:00:00.000Z` });
  const [first, second, third] = ['2026-11-22', '2026-11-23', '2026-11-24'] as const;

  test('each manifest names the one before by its hash, the first none', async () => {
    const w = world([...entriesOf(on(first, 'ord_1'), []), ...entriesOf(on(second, 'ord_2'), [])]);
    await w.run(first);
    const manifest = await w.run(second);
    const bytes = w.bucket.get(`exports/${first}/manifest.json`)!;
    expect(manifest).toMatchObject({
      date: second,
      previous: { date: first, sha256: createHash('sha256').update(bytes).digest('hex') },
    });
  });

  test('a day waits until the audit has passed its last moment, and nothing is written', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), []));
    w.audit.journalledUpTo = undefined;
    expect(await w.run(first)).toMatchObject({ state: 'waiting' });
    w.audit.journalledUpTo = '2026-11-22T14:59:59.999Z';
    expect(await w.run(first)).toEqual({ ...plan, state: 'waiting', journalledUpTo: w.audit.journalledUpTo });
    expect(w.writes).toEqual([]);
    w.audit.journalledUpTo = '2026-11-22T15:00:00.000Z';
    expect(await w.run(first)).toMatchObject({ date: first, balanced: true });
  });

  test('what comes late goes into the next export with its own date, and into that one only', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), []));
    await w.run(first);
    const [late] = entriesOf(on(first, 'ord_LATE'), []);
    w.journal.push(late!, ...entriesOf(on(second, 'ord_2'), []), ...entriesOf(on(third, 'ord_3'), []));
    expect(await w.run(second)).toMatchObject({
      generatedFrom: { entries: 2, days: { [first]: 1, [second]: 1 } },
    });
    expect(await w.run(third)).toMatchObject({ generatedFrom: { entries: 1, days: { [third]: 1 } } });
    const rows = [first, second, third].flatMap((day) =>
      w.rows('journal.csv', day).map(({ entryId, businessDate }) => `${day} ${entryId} of ${businessDate}`),
    );
    expect([...new Set(rows)]).toEqual([
      `${first} jrn_1-3 of ${first}`,
      `${second} jrn_LATE-3 of ${first}`,
      `${second} jrn_2-3 of ${second}`,
      `${third} jrn_3-3 of ${third}`,
    ]);
  });

  test('an exported day that is run again is made again to the byte, whatever has come since', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), [1_000]));
    await w.run(first);
    const before = new Map(w.bucket);
    const written = w.writes.length;
    w.journal.push(...entriesOf(on(first, 'ord_LATE'), []));
    w.audit.journalledUpTo = undefined;
    await w.run(first);
    expect(w.bucket).toEqual(before);
    expect(w.writes).toHaveLength(written);
  });

  test('of two runs of a day the slower leaves alone what the faster has finished', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), []));
    const slower = await w.plan({ date: first });
    expect(slower.state).toBe('ready');
    const manifest = await w.run(first);
    const before = new Map(w.bucket);
    w.journal.push(...entriesOf(on(first, 'ord_LATE'), []));
    expect(await w.manifest(await w.files(slower))).toEqual(manifest);
    expect(w.bucket).toEqual(before);
  });

  test('of two runs that have both written before either has its manifest, one stands with its own files', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), []));
    const [one, another] = [await w.plan({ date: first }), await w.plan({ date: first })];
    const early = await w.files(one);
    w.journal.push(...entriesOf(on(first, 'ord_LATE'), []));
    const late = await w.files(another);
    const manifest = await w.manifest(early);
    await expect(w.manifest(late)).rejects.toThrow('other content');
    for (const { name, sha256 } of manifest.files) {
      const content = w.bucket.get(`exports/${first}/${sha256}/${name}`)!;
      expect(createHash('sha256').update(content).digest('hex')).toBe(sha256);
    }
    // What only the other one had is the next day's.
    expect(await w.run(second)).toMatchObject({ generatedFrom: { days: { [first]: 1 } } });
  });

  test('an export of schema version 2, whose files have their names alone, is read and made again as it is', async () => {
    const w = world(entriesOf(on(first, 'ord_1'), []));
    const { files } = (await w.run(first)) as { files: { name: string; sha256: string }[] };
    for (const { name, sha256 } of files) {
      const key = `exports/${first}/${sha256}/${name}`;
      w.bucket.set(`exports/${first}/${name}`, w.bucket.get(key)!);
      w.bucket.delete(key);
    }
    const key = `exports/${first}/manifest.json`;
    const text = w.bucket.get(key)!.toString();
    expect(text).toMatch(/^\{\n {2}"schemaVersion": 3,/);
    w.bucket.set(key, Buffer.from(text.replace('"schemaVersion": 3', '"schemaVersion": 2')));
    const before = new Map(w.bucket);
    expect(await w.run(first)).toMatchObject({ schemaVersion: 2 });
    expect(w.bucket).toEqual(before);
    w.journal.push(...entriesOf(on(first, 'ord_LATE'), []));
    expect(await w.run(second)).toMatchObject({
      schemaVersion: 3,
      generatedFrom: { days: { [first]: 1 } },
    });
  });

  test('an entry that was exported and is gone from the journal stops the next export, and its own again', async () => {
    const w = world([...entriesOf(on(first, 'ord_1'), []), ...entriesOf(on(first, 'ord_2'), [])]);
    await w.run(first);
    w.journal.shift();
    await expect(w.run(second)).rejects.toThrow('has lost 1 exported entries');
    await expect(w.run(first)).rejects.toThrow('is not what was written');
  });

  test('days are exported one after the other: a day that was left out is next', async () => {
    const w = world([]);
    await w.run(first);
    expect(await w.plan({ date: '2026-11-30' })).toMatchObject({ date: second, state: 'ready' });
    expect(await w.plan({ time: '2026-11-24T17:00:00Z' })).toMatchObject({ date: second });
    await expect(w.plan({ date: '2026-11-20' })).rejects.toMatchObject({ name: 'validation-failed' });
  });
});
