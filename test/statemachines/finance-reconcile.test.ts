import { readFileSync } from 'node:fs';
import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, test } from 'vitest';
import { charged, reconcileWorld, saleOn } from '../unit/finance/reconcile-world.ts';

const file = new URL('../../statemachines/finance-reconcile.asl.json', import.meta.url);
const functionArn = (name: string) => `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;
const definition = JSON.parse(
  readFileSync(file, 'utf8').replace(/\$\{(\w+)Arn\}/g, (_, name) => functionArn(name)),
);
const machine = new StateMachine(definition);
const day = '2026-11-20';
const nextMorning = { time: '2026-11-21T03:00:00Z' };

/** The functions over both sides' books, each reached by the ARN that its state names. */
function world() {
  const made = reconcileWorld();
  const calls: string[] = [];
  const faults: Error[] = [];
  const functions: Record<string, (input: unknown) => Promise<unknown>> = {
    [functionArn('FetchSettlement')]: made.fetch,
    [functionArn('PostSettlement')]: made.post,
    [functionArn('MatchSettlement')]: made.match,
  };
  const tasks = Object.entries(
    definition.States as Record<string, { Type: string; Resource: string }>,
  ).filter(([, { Type }]) => Type === 'Task');
  const handlers = tasks.map(([state, { Resource }]) => [
    state,
    async (input: unknown) => {
      calls.push(state);
      const result = await functions[Resource]!(input);
      const fault = faults.shift();
      if (fault) throw fault;
      return JSON.parse(JSON.stringify(result));
    },
  ]);
  const run = (input: object) =>
    machine.run(input as Parameters<typeof machine.run>[0], {
      overrides: {
        taskResourceLocalHandlers: Object.fromEntries(handlers),
        retryIntervalOverrides: Object.fromEntries(tasks.map(([state]) => [state, [0, 0]])),
      },
    }).result;
  return { ...made, calls, faults, run };
}

describe('the reconciliation', () => {
  test('fetches, posts and compares a day, the differences last', async () => {
    const w = world();
    const sale = saleOn('ord_A1', day);
    w.book(sale);
    w.settle(day, charged(sale), charged(saleOn('ord_B1', day)));
    expect(await w.run(nextMorning)).toEqual({
      date: day,
      open: { 'missing-here': 1 },
      resolved: 0,
      oldestDays: 0,
    });
    expect(w.calls).toEqual(['Fetch', 'Post', 'Match']);
    expect([...w.bucket.keys()]).toEqual([
      `settlements/${day}/settlement.csv`,
      `settlements/${day}/differences.json`,
    ]);
    expect(w.journal.map(({ eventId }) => eventId)).toContain(`stl_${day}-fee-USD`);
  });

  test('ends well while the provider has no file, and when every day is reconciled', async () => {
    const w = world();
    expect(await w.run(nextMorning)).toEqual({ date: day, state: 'waiting' });
    w.settle(day);
    await w.run(nextMorning);
    expect(await w.run(nextMorning)).toEqual({ date: day, state: 'reconciled' });
    expect(w.calls).toEqual(['Fetch', 'Fetch', 'Post', 'Match', 'Fetch']);
  });

  test('a state whose answer was lost runs again, and nothing is booked twice', async () => {
    const w = world();
    const sale = saleOn('ord_A1', day);
    w.book(sale);
    w.settle(day, charged(sale));
    w.faults.push(new Error('the answer was lost'), undefined as never, new Error('the answer was lost'));
    await w.run(nextMorning);
    expect(w.calls).toEqual(['Fetch', 'Fetch', 'Post', 'Post', 'Match']);
    expect(w.journal).toHaveLength(2);
  });

  test('a file that was changed ends it at once, for a person to see', async () => {
    const w = world();
    w.settle(day, charged(saleOn('ord_A1', day)));
    await w.fetch(nextMorning);
    w.settle(day, charged(saleOn('ord_A2', day)));
    await expect(w.run(nextMorning)).rejects.toThrow();
    expect(w.calls).toEqual(['Fetch']);
  });
});
