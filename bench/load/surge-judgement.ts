import type { Check, Findings } from './ground.ts';
import type { Second } from './recorder.ts';

/** A stretch of the run, in seconds from its beginning, with what was asked for a second. */
export interface Window {
  readonly rate: number;
  readonly from: number;
  readonly seconds: number;
}

const leastOfPeak = 0.8;
const recoveredWithin = 60;
/** Of what was asked for in a second, what must be accepted for it to be a normal one. */
const accepted = 0.9;
/** Seconds on end that must be normal before it is over. */
const steady = 5;

/** What the surge must show: goodput that holds, and a store that is itself again soon after. */
export function judgeSurge(
  seconds: readonly Second[],
  steps: readonly Window[],
  crowd: Window,
  after: Window,
): Findings {
  const goodput = ({ from, seconds: length }: Window) =>
    slice(seconds, from, length).reduce((sum, second) => sum + second.goodput, 0) / length;
  const peak = Math.max(...steps.map(goodput));
  const saturated = steps.at(-1)!.rate;
  const under = goodput(crowd);
  const recovered = recoveredAfter(slice(seconds, after.from, after.seconds), after.rate);
  const checks: Check[] = [
    {
      name: `goodput under ten times what saturates is at least ${leastOfPeak * 100}% of its peak`,
      holds: under >= leastOfPeak * peak,
      detail: `${under.toFixed(1)} of ${peak.toFixed(1)} orders a second, at ${crowd.rate.toFixed(0)} asked for a second`,
    },
    {
      name: `back to normal within ${recoveredWithin} s`,
      holds: recovered !== undefined && recovered <= recoveredWithin,
      detail: recovered === undefined ? 'not within the time looked at' : `after ${recovered} s`,
    },
  ];
  return {
    figures: {
      'asked for a second: goodput': steps
        .map((step) => `${step.rate.toFixed(0)}: ${goodput(step).toFixed(1)}`)
        .join(', '),
      'saturated at': `${saturated.toFixed(0)} a second`,
      'peak goodput': `${peak.toFixed(1)} orders a second`,
      'goodput under the crowd': `${under.toFixed(1)} orders a second`,
    },
    checks,
  };
}

/** Seconds until a run of normal ones begins; undefined when there is none. */
export function recoveredAfter(seconds: readonly Second[], rate: number): number | undefined {
  const isNormal = ({ goodput, started, counts }: Second) =>
    goodput >= accepted * Math.min(started, rate) && counts.shed + counts.failed <= 0.1 * started;
  for (let begin = 0; begin + steady <= seconds.length; begin++) {
    const some = seconds.slice(begin, begin + steady);
    const mean = some.reduce((sum, { goodput }) => sum + goodput, 0) / steady;
    const asked = some.reduce((sum, { started }) => sum + started, 0) / steady;
    if (mean >= accepted * asked && some.filter(isNormal).length >= steady - 1) return begin;
  }
  return undefined;
}

function slice(seconds: readonly Second[], from: number, length: number): readonly Second[] {
  return seconds.slice(Math.floor(from), Math.floor(from + length));
}
