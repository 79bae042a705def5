import type { Plan, Shopper } from './plan.ts';
import { type Bug, type Course, run } from './simulation.ts';

/** The smallest plan found that still goes wrong in the same way, and its course. */
export interface Reproduction {
  readonly plan: Plan;
  readonly course: Course;
  readonly runs: number;
}

/** Runs at most: each takes some ten milliseconds. */
const patience = 200;

/**
 * Makes a failure smaller: fewer people, plainer ones, fewer kinds of mishaps, fewer mishaps. Greedy, until nothing can be
 * left out. Chance goes by name, so what stays behaves as before as far as it is not touched by what is gone.
 */
export async function shrink(plan: Plan, course: Course, bug: () => Bug = () => ({})): Promise<Reproduction> {
  const kinds = new Set(course.wrong.map(kindOf));
  let best = { plan, course };
  let runs = 0;
  const fails = async (smaller: Plan): Promise<boolean> => {
    if (runs++ >= patience) return false;
    const tried = await run(smaller, bug());
    if (!tried.wrong.some((line) => kinds.has(kindOf(line)))) return false;
    best = { plan: smaller, course: tried };
    return true;
  };
  for (let before: Plan | undefined; before !== best.plan && runs < patience; ) {
    before = best.plan;
    for (const smaller of simpler(best.plan)) {
      const next = smaller(best.plan);
      if (next && JSON.stringify(next) !== JSON.stringify(best.plan)) await fails(next);
    }
    await spareMishaps(() => best, fails);
  }
  return { ...best, runs };
}

/** Leaves mishaps out, halves first, then one by one. */
async function spareMishaps(
  best: () => { plan: Plan; course: Course },
  fails: (plan: Plan) => Promise<boolean>,
): Promise<void> {
  for (let size = best().course.mishaps.length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < best().course.mishaps.length; ) {
      const { plan, course } = best();
      const spared = new Set([...plan.spared, ...course.mishaps.slice(from, from + size)]);
      if (!(await fails({ ...plan, spared }))) from += size;
    }
  }
}

/** Each makes a plan a little smaller; undefined when there is nothing to leave out. */
function simpler(plan: Plan): ((plan: Plan) => Plan | undefined)[] {
  return [
    ...plan.shoppers.map(({ name }) => (now: Plan) => ({
      ...now,
      shoppers: now.shoppers.filter((shopper) => shopper.name !== name),
    })),
    ...plan.deeds.map(({ name }) => (now: Plan) => ({
      ...now,
      deeds: now.deeds.filter((deed) => deed.name !== name),
    })),
    ...Object.keys(plan.weather).map((kind) => (now: Plan) => ({
      ...now,
      weather: Object.fromEntries(Object.entries(now.weather).filter(([other]) => other !== kind)),
    })),
    ...(['twice', 'lost', 'slow'] as const).map(
      (kind) => (now: Plan) => (now.bus[kind] === 0 ? undefined : { ...now, bus: { ...now.bus, [kind]: 0 } }),
    ),
    (now) => (now.skewed ? { ...now, skewed: false } : undefined),
    (now) => (now.lag > 0 ? { ...now, lag: 0 } : undefined),
    ...plan.shoppers.flatMap((shopper) =>
      plainer
        .filter((change) =>
          Object.entries(change).some(([key, plain]) => shopper[key as keyof Shopper] !== plain),
        )
        .map((change) => (now: Plan) => ({
          ...now,
          shoppers: now.shoppers.map((one) => (one.name === shopper.name ? { ...one, ...change } : one)),
        })),
    ),
  ];
}

const plainer: readonly Partial<Shopper>[] = [
  { doubles: false },
  { sendsAgain: false },
  { cancelsAfter: undefined },
  { cart: false },
  { card: 'tok_approve' },
];

/** Messages that differ only in ids and numbers are of one kind. */
function kindOf(wrong: string): string {
  return wrong
    .replace(/\b[a-z]{2,4}_[\w-]+/g, '…')
    .replace(/\d+/g, '#')
    .replace(/\(.*\)/, '');
}

/** What a person needs to see: the plan in a few lines, and the steps up to where it went wrong. */
export function printable({ plan, course, runs }: Reproduction): string {
  const { seed, start, goods, shoppers, deeds, weather, bus, skewed, lag } = plan;
  const steps = course.trace.slice(0, course.wrongAt ?? course.trace.length);
  return [
    `seed ${seed}, made smaller in ${runs} runs:`,
    ...course.wrong.map((line) => `  wrong: ${line}`),
    `  begins ${new Date(start).toISOString()}, goods ${JSON.stringify(goods)}`,
    ...shoppers.map((shopper) => `  ${JSON.stringify(shopper)}`),
    ...deeds.map((deed) => `  ${JSON.stringify(deed)}`),
    `  weather ${JSON.stringify(weather)}, bus ${JSON.stringify(bus)}, skewed ${skewed}, lag ${lag}`,
    ...course.mishaps.map((mishap) => `  mishap: ${mishap}`),
    `  ${steps.length} steps:`,
    ...steps.map((step) => `    ${step}`),
  ].join('\n');
}
