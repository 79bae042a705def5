import { expect, it } from 'vitest';
import { joinable } from '../../../functions/order/adapters/placement-ports.ts';

/** A read whose ends are in our hand. */
function readsInHand() {
  const begun: { key: string; answer: (value: number) => void; fail: (error: Error) => void }[] = [];
  const read = joinable(
    (key) => new Promise<number>((answer, fail) => void begun.push({ key, answer, fail })),
  );
  return { begun, read, turn: () => new Promise((done) => setImmediate(done)) };
}

it('shares a read that has not begun, and never one that has', async () => {
  const { begun, read, turn } = readsInHand();
  const first = Promise.all([read('a'), read('a')]);
  await turn();
  expect(begun).toHaveLength(1);
  const second = Promise.all([read('a'), read('a')]);
  await turn();
  expect(begun).toHaveLength(1);
  begun[0]!.answer(1);
  expect(await first).toEqual([1, 1]);
  await turn();
  begun[1]!.answer(2);
  expect(await second).toEqual([2, 2]);
  expect(begun).toHaveLength(2);
});

it('keeps keys apart, and goes on after a failure', async () => {
  const { begun, read, turn } = readsInHand();
  const a = read('a');
  const b = read('b');
  await turn();
  expect(begun.map(({ key }) => key)).toEqual(['a', 'b']);
  const later = read('a');
  begun[0]!.fail(new Error('throttled'));
  begun[1]!.answer(7);
  await expect(a).rejects.toThrow('throttled');
  expect(await b).toBe(7);
  await turn();
  begun[2]!.answer(8);
  expect(await later).toBe(8);
});
