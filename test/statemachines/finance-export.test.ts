import { readFileSync } from 'node:fs';
import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, test } from 'vitest';
import type { JournalEntry } from '../../functions/finance/domain/journal.ts';
import { exportWorld } from '../unit/finance/export-world.ts';

const file = new URL('../../statemachines/finance-export.asl.json', import.meta.url);
const functionArn = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;
const definition = JSON.parse(
  readFileSync(file, 'utf8').replace(/\$\{(\w+)Arn\}/g, (_, name) => functionArn(name)),
);
const machine = new StateMachine(definition);

const sale: JournalEntry = {
  entryId: 'jrn_A1-3',
  eventId: 'evt_A1-3',
  orderId: 'ord_A1',
  occurredAt: '2026-11-22T03:00:00.000Z',
  businessDate: '2026-11-22',
  postings: [
    { kind: 'capture', account: 'payment-clearing', debit: 12_999, credit: 0, currency: 'USD' },
    { kind: 'sale', account: 'sales', debit: 0, credit: 12_999, currency: 'USD' },
  ],
};

/** The functions over a journal and a bucket in memory, each reached by the ARN that its state names. */
function world(entries: readonly JournalEntry[]) {
  const made = exportWorld(entries);
  const calls: string[] = [];
  const functions: Record<string, (input: unknown) => Promise<any>> = {
    [functionArn('PlanExport')]: made.plan,
    [functionArn('ExportJournal')]: made.files,
    [functionArn('ExportManifest')]: made.manifest,
  };
  const states = Object.entries(
    definition.States as Record<string, { Type: string; Resource: string }>,
  ).filter(([, { Type }]) => Type === 'Task');
  const handlers = states.map(([state, { Resource }]) => [
    state,
    async (input: unknown) => {
      calls.push(state);
      return JSON.parse(JSON.stringify(await functions[Resource]!(input)));
    },
  ]);
  const run = (input: object) =>
    machine.run(input as Parameters<typeof machine.run>[0], {
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(handlers),
        retryIntervalOverrides: Object.fromEntries(states.map(([state]) => [state, [0, 0]])),
      },
    }).result;
  return { ...made, calls, run };
}

describe('the finance export', () => {
  test('exports the business date before the scheduled time, the manifest last', async () => {
    const w = world([sale]);
    const manifest = await w.run({ time: '2026-11-22T17:00:00Z' });
    expect(w.calls).toEqual(['Plan', 'WriteFiles', 'WriteManifest']);
    expect(w.writes).toEqual([
      ...['journal.csv', 'journal.parquet', 'summary.csv', 'orders.csv'].map((name) =>
        w.keyOf('2026-11-22', name),
      ),
      'exports/2026-11-22/manifest.json',
    ]);
    expect(manifest).toMatchObject({
      date: '2026-11-22',
      balanced: true,
      totals: { USD: { debit: 12_999, credit: 12_999 } },
    });
    expect(w.bucket.get(w.keyOf('2026-11-22', 'orders.csv'))!.toString()).toContain(
      'ord_A1,USD,129.99,0.00\r\n',
    );
  });

  test('exports a date that is asked for, again with the same bytes', async () => {
    const w = world([sale]);
    await w.run({ date: '2026-11-22' });
    const first = new Map(w.bucket);
    await w.run({ date: '2026-11-22' });
    expect(w.bucket).toEqual(first);
  });

  test('goes on after a failure that passes', async () => {
    const w = world([sale]);
    w.faults.push(new Error('the bucket does not answer'));
    await w.run({ date: '2026-11-22' });
    expect(w.calls).toEqual(['Plan', 'WriteFiles', 'WriteFiles', 'WriteManifest']);
  });

  test('ends well, and writes nothing, while the audit has not passed the day', async () => {
    const w = world([sale]);
    w.audit.journalledUpTo = '2026-11-22T12:00:00.000Z';
    expect(await w.run({ date: '2026-11-22' })).toMatchObject({ state: 'waiting', date: '2026-11-22' });
    expect(w.calls).toEqual(['Plan']);
    expect(w.writes).toEqual([]);
  });

  test('ends without a manifest, and at once, when the books do not balance', async () => {
    const w = world([{ ...sale, postings: sale.postings.slice(0, 1) }]);
    await expect(w.run({ date: '2026-11-22' })).rejects.toThrow();
    expect(w.calls).toEqual(['Plan', 'WriteFiles', 'WriteManifest']);
    expect([...w.bucket.keys()]).not.toContain('exports/2026-11-22/manifest.json');
  });

  test('ends at once for an input that names no date', async () => {
    const w = world([sale]);
    await expect(w.run({ day: 'yesterday' })).rejects.toThrow();
    expect(w.calls).toEqual(['Plan']);
  });
});
