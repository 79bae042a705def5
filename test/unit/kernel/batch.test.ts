import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { describe, expect, it, vi } from 'vitest';
import { batchGet, batchPut } from '../../../functions/kernel/batch.ts';
import { chunksOf, inParallel } from '../../../functions/kernel/parallel.ts';

vi.mock('../../../functions/kernel/clock.ts', () => ({ systemSleep: async () => {} }));

type Answer = (input: any) => any;

/** A client that answers its calls with `answers`, in turn, and then as the last of them. */
function answering(...answers: Answer[]) {
  const inputs: any[] = [];
  const send = async ({ input }: { input: any }) => {
    inputs.push(structuredClone(input));
    return answers[Math.min(inputs.length, answers.length) - 1]!(input);
  };
  return { documents: { send } as unknown as DynamoDBDocumentClient, inputs };
}

const key = (n: number) => ({ pk: `P${n}`, sk: 'S' });
const found: Answer = ({ RequestItems }) => ({ Responses: { t: RequestItems.t.Keys } });
const leavingAll: Answer = ({ RequestItems }) => ({
  UnprocessedKeys: RequestItems,
  UnprocessedItems: RequestItems,
});

describe('reading a batch', () => {
  it('asks again for what was left unprocessed, and only for that', async () => {
    const halfway: Answer = ({ RequestItems: { t } }) => ({
      Responses: { t: t.Keys.slice(0, 1) },
      UnprocessedKeys: { t: { Keys: t.Keys.slice(1) } },
    });
    const { documents, inputs } = answering(halfway, found);
    const items = await batchGet(documents, 't', [key(1), key(2), key(3)], { consistent: true });
    expect(items).toEqual([key(1), key(2), key(3)]);
    expect(inputs.map(({ RequestItems: { t } }) => [t.Keys.length, t.ConsistentRead])).toEqual([
      [3, true],
      [2, true],
    ]);
  });

  it('takes any number of keys, none included', async () => {
    const { documents, inputs } = answering(found);
    const keys = Array.from({ length: 250 }, (_, n) => key(n));
    expect(await batchGet(documents, 't', keys)).toHaveLength(250);
    expect(inputs.map(({ RequestItems: { t } }) => t.Keys.length)).toEqual([100, 100, 50]);
    expect(await batchGet(documents, 't', [])).toEqual([]);
  });

  it('gives up in the end', async () => {
    const { documents } = answering(leavingAll);
    await expect(batchGet(documents, 't', [key(1)])).rejects.toMatchObject({
      code: 'temporary-reduced-capacity',
    });
  });
});

describe('writing a batch', () => {
  it('sends again what was left unprocessed', async () => {
    const halfway: Answer = ({ RequestItems: { t } }) => ({ UnprocessedItems: { t: t.slice(1) } });
    const { documents, inputs } = answering(halfway, () => ({}));
    await batchPut(documents, 't', [key(1), key(2)]);
    expect(inputs.map(({ RequestItems: { t } }) => t.map((w: any) => w.PutRequest.Item.pk))).toEqual([
      ['P1', 'P2'],
      ['P2'],
    ]);
  });

  it('gives up in the end', async () => {
    const { documents } = answering(leavingAll);
    await expect(batchPut(documents, 't', [key(1)])).rejects.toMatchObject({
      code: 'temporary-reduced-capacity',
    });
  });
});

describe('working in parallel', () => {
  it('does everything once, so many at a time', async () => {
    let running = 0;
    let most = 0;
    const done: number[] = [];
    await inParallel([1, 2, 3, 4, 5, 6, 7], 3, async (value) => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running--;
      done.push(value);
    });
    expect(done.sort()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(most).toBe(3);
  });

  it('begins nothing more after a failure', async () => {
    const begun: number[] = [];
    const work = async (value: number) => {
      begun.push(value);
      if (value === 2) throw new Error('broken');
      await new Promise(setImmediate);
    };
    await expect(inParallel([1, 2, 3, 4, 5, 6], 2, work)).rejects.toThrow('broken');
    await new Promise(setImmediate);
    expect(begun).toEqual([1, 2]);
  });

  it('cuts into groups', () => {
    expect(chunksOf([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
    expect(chunksOf([], 2)).toEqual([]);
  });
});
