import { describe, expect, test } from 'vitest';
import * as z from 'zod/mini';
import { getExport } from '../../../functions/finance/app/get-export.ts';
import { listExports } from '../../../functions/finance/app/list-exports.ts';
import * as contract from '../../../functions/finance/contract.ts';

function manifest(date: string): contract.ExportManifest {
  return {
    schemaVersion: 3,
    date,
    timeZone: 'Asia/Seoul',
    generatedFrom: { entries: 2, days: { [date]: 2 } },
    files: [{ name: 'journal.csv', rows: 5, bytes: 100, sha256: 'ab' }],
    totals: { KRW: { debit: 5, credit: 5 } },
    previous: null,
    balanced: true,
  };
}

/** Exports of these dates; those with a `!` have no manifest yet. */
function ports(dates: readonly string[]) {
  const complete = new Set(dates.filter((date) => !date.endsWith('!')));
  return {
    now: () => Date.parse('2026-11-22T10:00:00.000Z'),
    manifestAt: async (key: string) => {
      const date = key.split('/')[1]!;
      return complete.has(date) ? manifest(date) : undefined;
    },
    folders: async (prefix: string, after: string, limit: number) =>
      dates
        .map((date) => `${prefix}${date.replace('!', '')}/`)
        .filter((folder) => `${folder}journal.csv` > after)
        .slice(0, limit),
    link: async (key: string, expiresIn: number) => `https://bucket.test/${key}?expires=${expiresIn}`,
  };
}

describe('the list of exports', () => {
  const dates = ['2026-11-18', '2026-11-19', '2026-11-20!', '2026-11-21', '2026-11-22'];

  async function pages(query: { from?: string; to?: string; limit: number }) {
    const all: string[][] = [];
    let cursor: string | undefined;
    do {
      const { body, headers } = await listExports(ports(dates))({
        query: { ...query, cursor },
      } as unknown as Parameters<ReturnType<typeof listExports>>[0]);
      expect(z.safeParse(contract.listExports.responses[200], body).success).toBe(true);
      all.push(body.items.map((item) => item.date));
      cursor = body.next;
      if (cursor) expect(headers?.link).toContain(`cursor=${encodeURIComponent(cursor)}`);
    } while (cursor);
    return all;
  }

  test.each([
    [{ limit: 20 }, [['2026-11-18', '2026-11-19', '2026-11-21', '2026-11-22']]],
    [{ limit: 2 }, [['2026-11-18', '2026-11-19'], ['2026-11-21'], ['2026-11-22']]],
    [{ limit: 20, from: '2026-11-19', to: '2026-11-21' }, [['2026-11-19', '2026-11-21']]],
    [{ limit: 1, from: '2026-11-19', to: '2026-11-19' }, [['2026-11-19']]],
    [{ limit: 5, from: '2026-12-01' }, [[]]],
  ])('%o', async (query, expected) => {
    expect(await pages(query)).toEqual(expected);
  });

  test('a cursor is of its own range', async () => {
    const ask = (query: object) =>
      listExports(ports(dates))({ query } as unknown as Parameters<ReturnType<typeof listExports>>[0]);
    const { body } = await ask({ limit: 1 });
    await expect(ask({ limit: 1, from: '2026-11-19', cursor: body.next })).rejects.toMatchObject({
      code: 'invalid-cursor',
    });
  });
});

describe('one export', () => {
  const ask = (date: string) =>
    getExport(ports(['2026-11-21', '2026-11-22!']))({ params: { date } } as Parameters<
      ReturnType<typeof getExport>
    >[0]);

  test('shows the manifest, and links that end after 15 minutes', async () => {
    const { status, body } = await ask('2026-11-21');
    expect(status).toBe(200);
    expect(z.safeParse(contract.getExport.responses[200], body).success).toBe(true);
    expect(body).toEqual({
      manifest: manifest('2026-11-21'),
      links: [
        {
          name: 'journal.csv',
          url: 'https://bucket.test/exports/2026-11-21/ab/journal.csv?expires=900',
          expiresAt: '2026-11-22T10:15:00.000Z',
        },
      ],
    });
  });

  test('is not found before its manifest is written', async () => {
    await expect(ask('2026-11-22')).rejects.toMatchObject({ code: 'not-found' });
  });
});
