import type { LoadClock } from './clock.ts';
import type { Random } from './random.ts';

/** A stretch of time in which shoppers come at the same rate. */
export interface Phase {
  readonly seconds: number;
  /** Arrivals a second, on average. */
  readonly rate: number;
}

/**
 * A Poisson process: when shoppers arrive, in milliseconds from the start. It knows nothing of answers: who comes does
 * not wait for those before (an open loop).
 */
export function poisson(phases: readonly Phase[], random: Random): number[] {
  const arrivals: number[] = [];
  let begin = 0;
  for (const { seconds, rate } of phases) {
    const end = begin + seconds * 1_000;
    if (rate > 0) {
      for (let at = begin + gap(rate, random); at < end; at += gap(rate, random)) arrivals.push(at);
    }
    begin = end;
  }
  return arrivals;
}

/** The same process, given that exactly `count` come within `seconds`. */
export function within(count: number, seconds: number, random: Random): number[] {
  return Array.from({ length: count }, () => random() * seconds * 1_000).sort((a, b) => a - b);
}

function gap(rate: number, random: Random): number {
  return (-Math.log(1 - random()) / rate) * 1_000;
}

/** Looks for arrivals that are due this often. What comes late by it counts from when it was due. */
const tickMs = 2;

/**
 * Has everyone come when they are due, whatever has become of those before, and waits for the last to be done.
 * @param arrivals ascending, in milliseconds from now
 * @param shopper told when it was due to arrive
 */
export async function openLoop(
  clock: LoadClock,
  arrivals: readonly number[],
  shopper: (index: number, intended: number) => Promise<void>,
): Promise<void> {
  const begin = clock.now();
  const underWay: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    const tick = () => {
      const now = clock.now() - begin;
      while (underWay.length < arrivals.length && arrivals[underWay.length]! <= now) {
        const index = underWay.length;
        underWay.push(shopper(index, begin + arrivals[index]!));
      }
      if (underWay.length < arrivals.length) setTimeout(tick, tickMs);
      else resolve();
    };
    tick();
  });
  await Promise.all(underWay);
}
