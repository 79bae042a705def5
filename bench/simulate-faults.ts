/**
 * `npm run simulate:faults -- --seeds N [--from S]`: runs seeds on two cores and prints those that go wrong, each with
 * its shortest reproduction. `--seed S` runs one and prints its trace; `--bugs` searches for each mistake of
 * test/faults/simulated-bugs.ts the first seed that catches it.
 */
import './simulation/quiet.ts';
import { parseArgs } from 'node:util';
import { digest } from '../functions/kernel/ids.ts';
import { simulatedBugs } from '../test/faults/simulated-bugs.ts';
import { type Judged, judgeSeeds } from './simulation/many-seeds.ts';
import { planOf } from './simulation/plan.ts';
import { run } from './simulation/simulation.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    bugs: { type: 'boolean', default: false },
  },
});
const from = Number(values.from);
const to = from + Number(values.seeds);

if (values.seed !== undefined) await one(Number(values.seed));
else if (values.bugs) await search();
else await many();

async function one(seed: number): Promise<void> {
  const { trace, hash, wrong } = await run(planOf(seed));
  for (const step of trace) console.log(step);
  console.log(`seed ${seed}: ${trace.length} steps, hash ${hash}, ${wrong.length} wrong`);
  for (const line of wrong) console.log(`  wrong: ${line}`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function many(): Promise<void> {
  const began = performance.now();
  const all: Judged[] = [];
  await judgeSeeds({ from, to }, (judged) => {
    all.push(judged);
    if (judged.reproduction) console.log(judged.reproduction);
    if (all.length % 1_000 === 0) console.log(`${all.length} seeds`);
  });
  all.sort((a, b) => a.seed - b.seed);
  const sum = (of: (judged: Judged) => number) => all.reduce((total, judged) => total + of(judged), 0);
  const failed = all.filter(({ wrong }) => wrong.length > 0);
  console.table([
    {
      seeds: all.length,
      orders: sum(({ orders }) => orders),
      steps: sum(({ steps }) => steps),
      mishaps: sum(({ mishaps }) => mishaps),
      violations: failed.length,
      seconds: Math.round((performance.now() - began) / 1_000),
    },
  ]);
  console.log(`hash of all traces: ${digest(all.map(({ hash }) => hash).join('\n'))}`);
  if (failed.length > 0) {
    console.log(`failing seeds: ${failed.map(({ seed }) => seed).join(', ')}`);
    process.exitCode = 1;
  }
}

async function search(): Promise<void> {
  const found = [];
  for (const { name, notices, seed: known } of simulatedBugs) {
    let first: Judged | undefined;
    await judgeSeeds({ from, to, bug: name }, (judged) => {
      const caught = judged.wrong.some((line) => notices.test(line));
      if (caught && judged.seed < (first?.seed ?? Number.POSITIVE_INFINITY)) first = judged;
    });
    const said = first?.wrong.find((line) => notices.test(line));
    console.log(`${name}: ${first ? `seed ${first.seed}, ${said}` : 'NOT CAUGHT'}`);
    found.push({ bug: name, seed: first?.seed ?? 'none', known });
    if (!first) process.exitCode = 1;
  }
  console.table(found);
}
