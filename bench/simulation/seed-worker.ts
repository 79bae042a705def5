import { parentPort, workerData } from 'node:worker_threads';
import { simulatedBugs } from '../../test/faults/simulated-bugs.ts';
import type { Judged, Work } from './many-seeds.ts';
import { planOf } from './plan.ts';
import { printable, shrink } from './shrink.ts';
import { type Bug, run } from './simulation.ts';

const { from, to, step, bug } = workerData as Work;
const built = simulatedBugs.find(({ name }) => name === bug);
const make = (): Bug => built?.bug() ?? {};

for (let seed = from; seed < to; seed += step) {
  const plan = planOf(seed);
  const course = await run(plan, make());
  const { hash, trace, orders, mishaps, wrong } = course;
  const failed = wrong.length > 0;
  const judged: Judged = { seed, hash, steps: trace.length, orders, mishaps: mishaps.length, wrong };
  const reproduction = failed && !built ? printable(await shrink(plan, course)) : undefined;
  parentPort!.postMessage({ ...judged, ...(reproduction && { reproduction }) });
  // Lets the process see to its own affairs between two seeds.
  await new Promise((done) => setImmediate(done));
  if (failed && built && wrong.some((line) => built.notices.test(line))) break;
}
