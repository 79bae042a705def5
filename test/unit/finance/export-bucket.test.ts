import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { exportBucket } from '../../../functions/finance/adapters/export-bucket.ts';
import { startObjectStore } from './object-store.ts';

let store: Awaited<ReturnType<typeof startObjectStore>>;
const waits: number[] = [];
const bucket = exportBucket('bucket', async (milliseconds) => {
  waits.push(milliseconds);
});
beforeAll(async () => {
  store = await startObjectStore();
});
afterAll(() => store.stop());
beforeEach(() => {
  store.objects.clear();
  store.failures.length = 0;
  waits.length = 0;
});

const content = Buffer.from('entryId\r\nzażółć 가나\r\n');

test('what is written is read back byte for byte; what is not there is undefined', async () => {
  await bucket.write('exports/2026-11-22/journal.csv', content, 'text/csv');
  const read = await bucket.read('exports/2026-11-22/journal.csv');
  expect(Buffer.from(read!)).toEqual(content);
  expect(await bucket.read('exports/2026-11-23/journal.csv')).toBeUndefined();
});

test('folders come in order, after a place, up to a limit', async () => {
  for (const date of ['2026-11-22', '2026-11-20', '2026-11-21']) {
    await bucket.write(`exports/${date}/journal.csv`, content, 'text/csv');
    await bucket.write(`exports/${date}/manifest.json`, content, 'application/json');
  }
  await bucket.write('other/2026-11-19/x', content, 'text/csv');
  expect(await bucket.folders('exports/', 'exports/', 2)).toEqual([
    'exports/2026-11-20/',
    'exports/2026-11-21/',
  ]);
  expect(await bucket.folders('exports/', 'exports/2026-11-210', 2)).toEqual(['exports/2026-11-22/']);
});

test('a link opens its object without credentials, and no other', async () => {
  await bucket.write('exports/2026-11-22/journal.csv', content, 'text/csv');
  const link = await bucket.link('exports/2026-11-22/journal.csv', 900);
  expect(new URL(link).searchParams.get('X-Amz-Expires')).toBe('900');
  const opened = await fetch(link);
  expect(opened.status).toBe(200);
  expect(Buffer.from(await opened.arrayBuffer())).toEqual(content);
  expect((await fetch(link.replace('journal.csv', 'orders.csv'))).status).toBe(403);
});

test.each([
  [[503, 500, 429], 3],
  [[503], 1],
])('after %o it is tried again', async (failures, retries) => {
  store.failures.push(...failures);
  await bucket.write('exports/2026-11-22/journal.csv', content, 'text/csv');
  expect(waits).toHaveLength(retries);
  expect(store.objects.size).toBe(1);
});

test('a fourth failure is final, and so is a refusal at once', async () => {
  store.failures.push(503, 503, 503, 503);
  await expect(bucket.read('exports/2026-11-22/journal.csv')).rejects.toMatchObject({ status: 503 });
  store.failures.push(403);
  waits.length = 0;
  await expect(bucket.read('exports/2026-11-22/journal.csv')).rejects.toMatchObject({ status: 403 });
  expect(waits).toEqual([]);
});

test('without an endpoint in the environment, links lead to the bucket on AWS', async () => {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  try {
    delete process.env.AWS_ENDPOINT_URL_S3;
    delete process.env.AWS_ENDPOINT_URL;
    expect(await bucket.link('exports/2026-11-22/orders.csv', 900)).toMatch(
      /^https:\/\/bucket\.s3\.eu-west-1\.amazonaws\.com\/exports\/2026-11-22\/orders\.csv\?/,
    );
  } finally {
    process.env.AWS_ENDPOINT_URL_S3 = AWS_ENDPOINT_URL_S3;
    if (AWS_ENDPOINT_URL) process.env.AWS_ENDPOINT_URL = AWS_ENDPOINT_URL;
  }
});
