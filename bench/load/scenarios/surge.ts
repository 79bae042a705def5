import { type Goods, sell, totalOf } from '../../store.ts';
import { openLoop, poisson } from '../arrivals.ts';
import type { Ground, Scenario } from '../ground.ts';
import { checkInvariants } from '../invariants.ts';
import { judgeSurge, type Window } from '../surge-judgement.ts';

const products = 20;
const unitsEach = 1_000_000;
/** Each step asks for so much more than the one before, until the store no longer keeps up. */
const growth = 1.6;
/** What is answered of what was asked for, below which a step has saturated the store. */
const keepsUp = 0.9;
/** Milliseconds of the median, above which it has as well. */
const slowMs = 2_000;
const surgeFactor = 10;
/** What is normal, as a part of the rate that saturates. */
const normal = 0.5;
/** Seconds. */
const warmUp = 3;
/** Times the length of a step. */
const surgeSteps = 4 / 3;
const afterSteps = 4;

/** Orders at growing rates until the store is saturated; ten times of that; and then as if nothing had been. */
export const surge: Scenario = async (ground) => {
  const { client, options, random } = ground;
  const goods: Goods[] = [];
  for (let number = 0; number < products; number++) goods.push(await sell(client, { stock: unitsEach }));
  const total = await totalOf(client, [{ sku: goods[0]!.sku, quantity: 1 }]);
  const tokens = await ground.shoppers(1_000);
  const shopper = buyer(ground, goods, total, tokens);
  const steps: Window[] = [];
  let crowd: Window | undefined;
  let after: Window | undefined;

  const begun = { at: 0 };
  const phase = async (rate: number, seconds: number): Promise<Window> => {
    const from = (ground.clock.now() - begun.at) / 1_000;
    await openLoop(ground.clock, poisson([{ seconds, rate }], random), shopper);
    return { rate, from, seconds };
  };
  return {
    run: async () => {
      begun.at = ground.clock.now();
      // Cold functions say nothing of what a warm store takes.
      await phase(options.rate / 2, warmUp);
      for (let { rate } = options; steps.length === 0 || rate <= options.ceiling; rate *= growth) {
        const step = await phase(rate, options.seconds);
        steps.push(step);
        const median = ground.recorder.seconds
          .slice(Math.floor(step.from), Math.ceil(step.from + step.seconds))
          .map(({ latency }) => latency.percentile(50));
        const tail = median.filter(Number.isFinite).slice(-Math.ceil(options.seconds / 2));
        const late = Math.max(...tail) > slowMs;
        if (goodputOf(ground, step) < keepsUp * rate || late) break;
      }
      const saturated = steps.at(-1)!.rate;
      const surgeSeconds = surgeSteps * options.seconds;
      const afterSeconds = afterSteps * options.seconds;
      const from = (ground.clock.now() - begun.at) / 1_000;
      // Nobody waits for the crowd to be gone before normal life goes on.
      await openLoop(
        ground.clock,
        poisson(
          [
            { seconds: surgeSeconds, rate: surgeFactor * saturated },
            { seconds: afterSeconds, rate: normal * saturated },
          ],
          random,
        ),
        shopper,
      );
      crowd = { rate: surgeFactor * saturated, from, seconds: surgeSeconds };
      after = { rate: normal * saturated, from: from + surgeSeconds, seconds: afterSeconds };
    },
    conclude: async () => {
      const { checks } = await checkInvariants(ground, new Map(goods.map(({ sku }) => [sku, unitsEach])));
      const judged = judgeSurge(ground.recorder.seconds, steps, crowd!, after!);
      return { figures: judged.figures, checks: [...judged.checks, ...checks] };
    },
  };
};

function goodputOf({ recorder }: Ground, { from, seconds }: Window): number {
  const whole = recorder.seconds.slice(Math.floor(from), Math.ceil(from + seconds));
  return whole.reduce((sum, { goodput }) => sum + goodput, 0) / seconds;
}

function buyer(
  ground: Ground,
  goods: readonly Goods[],
  total: { readonly amount: number; readonly currency: string },
  tokens: readonly string[],
) {
  return async (index: number, due: number): Promise<void> => {
    const { sku } = goods[Math.floor(ground.random() * goods.length)]!;
    await ground.buy(tokens[index % tokens.length]!, { lines: [{ sku, quantity: 1 }] }, total, due);
  };
}
