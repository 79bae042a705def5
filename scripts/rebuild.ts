/**
 * `npm run rebuild -- --verify`: builds every projection anew from the stored order events and compares it with the
 * live one, byte for byte. Ends with 1 when they differ. See `usage`.
 */
import { parseArgs } from 'node:util';
import { withGeneratedStore } from './rebuild/generated-store.ts';
import { peakMemory } from './rebuild/progress.ts';
import { type Outcome, rebuild, type Store } from './rebuild/rebuild.ts';
import { withDeployedStore, withEmbeddedStore } from './rebuild/running-store.ts';

const usage = `Usage: npm run rebuild -- [options]
Builds the projections anew from the order events: the operators' list and the journal, never e-mail.
Without --verify or --write it shows what --write would change.
  --verify          compare with the live projections; exit code 1 when they differ
  --write           make the live list what the events say, and add journal entries that are missing
  --stage <stage>   the store of a stage on AWS, by the credentials and region of the environment;
                    otherwise the embedded one at PORT (3000)
  --generate <n>    with --verify: a store of its own with n generated orders, whose events came
                    shuffled and some of them twice
  --segments <n>    parallel segments of a scan (4)`;

const { values: asked } = parseArgs({
  options: {
    verify: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    stage: { type: 'string' },
    generate: { type: 'string' },
    segments: { type: 'string', default: '4' },
    help: { type: 'boolean', default: false },
  },
});
if (asked.help || (asked.verify && asked.write) || (asked.generate !== undefined && !asked.verify)) {
  console.log(usage);
  process.exit(asked.help ? 0 : 2);
}

const began = performance.now();
const outcomes = await withStore((store) => {
  const segments = Number(asked.segments);
  return rebuild(store, { segments, patience: 2_000, write: asked.write }, console.log);
});
show(outcomes);
console.log(
  `${((performance.now() - began) / 1_000).toFixed(1)} s in all, at most ${peakMemory()} MB of memory`,
);
const different = outcomes.some(({ differences }) => differences > 0);
if (different && (asked.verify || asked.write)) process.exitCode = 1;

function withStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  if (asked.generate !== undefined) return withGeneratedStore(Number(asked.generate), console.log, work);
  if (asked.stage !== undefined) return withDeployedStore(asked.stage, work);
  return withEmbeddedStore(`http://127.0.0.1:${process.env.PORT || '3000'}`, work);
}

function show(all: readonly Outcome[]): void {
  console.table(all.map(({ shown: _, ...figures }) => figures));
  for (const { projection, shown } of all) {
    for (const { kind, pk, sk } of shown) console.log(`${projection}: ${kind} ${pk} ${sk}`);
  }
}
