/**
 * `npm run prove -- <name>`: runs one proof in a store of its own and prints its figures.
 */
import { synthesise } from '../local/synth.ts';
import { agreement } from './proofs/agreement.ts';
import { bundles } from './proofs/bundles.ts';
import { crash } from './proofs/crash.ts';
import { currencies } from './proofs/currencies.ts';
import { deployedSaga } from './proofs/deployed-saga.ts';
import { faults, limitedServices, smallAccount } from './proofs/faults.ts';
import { idempotency } from './proofs/idempotency.ts';
import { Crowd, oversell, oversellCases } from './proofs/oversell.ts';
import { allOrders, races, runRace } from './proofs/races.ts';
import { roles } from './proofs/roles.ts';
import { routes } from './proofs/routes.ts';
import {
  callFaultFigures,
  depth,
  type FaultFigures,
  outageFigures,
  stateFaultFigures,
} from './proofs/saga-faults.ts';
import { assemblies } from './store.ts';

const proofs: Readonly<Record<string, () => Promise<void>>> = {
  oversell: async () => {
    const crowd = await Crowd.gather();
    const figures = [];
    try {
      for (const one of oversellCases) figures.push(await oversell(crowd, one));
    } finally {
      await crowd.stop();
    }
    console.table(
      figures.map(({ case: { name, shoppers, stock }, other, ...rest }) => ({
        case: name,
        shoppers,
        stock,
        ...rest,
        other: JSON.stringify(other),
      })),
    );
  },
  idempotency: async () => console.table(await idempotency()),
  crash: async () => console.table(await crash()),
  currencies: async () => console.table((await currencies()).figures),
  races: async () => {
    const figures = [];
    for (const race of races) {
      const { failure, ends, complete, ...rest } = await runRace(race, allOrders);
      const bound = complete ? 'complete' : `bounded at ${allOrders.runs}`;
      figures.push({ ...rest, bound, ends: JSON.stringify(ends), wrong: failure?.wrong.length ?? 0 });
      if (!failure) continue;
      console.log([race.name, ...failure.wrong, ...failure.schedule].join('\n  '));
      process.exitCode = 1;
    }
    console.table(figures);
  },
  'saga-faults': async () => {
    printFaults(await stateFaultFigures(await deployedSaga('.build/proof-assembly')));
    printFaults(await callFaultFigures(depth));
    printFaults(await outageFigures());
  },
  faults: async () => {
    const [purchases = 200, seed = 1] = process.argv.slice(3, 5).map(Number);
    const limited = process.argv[5] === 'limited';
    if (!(purchases > 0 && Number.isInteger(seed)) || (process.argv[5] !== undefined && !limited)) {
      console.error('Usage: npm run prove -- faults [<purchases> [<seed> [limited]]]');
      process.exit(1);
    }
    const asked = { purchases, seed, log: console.log, ...(limited && { limits: smallAccount }) };
    const { figures, hits, throttles, wrong } = await faults(asked);
    const kinds = [...new Set(hits.map(({ fault }) => fault))].sort();
    const places = Map.groupBy(hits, ({ service, operation }) => `${service} ${operation}`);
    const row = (own: typeof hits) =>
      Object.fromEntries(kinds.map((kind) => [kind, own.find(({ fault }) => fault === kind)?.count ?? '']));
    console.table(Object.fromEntries([...places].map(([place, own]) => [place, row(own)])));
    console.table([{ ...figures, ends: JSON.stringify(figures.ends), wrong: wrong.length }]);
    for (const line of wrong) console.log(line);
    if (wrong.length > 0 || figures.accepted < figures.purchases) process.exitCode = 1;
    if (!limited) return;
    console.log('refused by limits', throttles);
    const unmet = limitedServices.filter((service) => !throttles[service]);
    if (unmet.length === 0) return;
    console.log(`never met: ${unmet.join(', ')}`);
    process.exitCode = 1;
  },
  roles: async () => {
    const { tried, unnoticed } = await roles(console.log);
    console.table(tried);
    console.log(unnoticed.length === 0 ? 'every one was missed' : `not missed: ${unnoticed.join(', ')}`);
    if (unnoticed.length > 0) process.exitCode = 1;
  },
  routes: async () => {
    const figures = await routes(undefined, undefined, console.log);
    console.table(figures);
    if (figures.some(({ wrongly, complaints }) => wrongly + complaints > 0)) process.exitCode = 1;
  },
  agreement: async () => {
    const { books, ends, ...figures } = await agreement();
    console.table(ends);
    console.table(books.map(({ agree, ...line }) => ({ ...line, agree: agree ? 'yes' : 'NO' })));
    console.table(figures);
    if (books.some(({ agree }) => !agree)) process.exitCode = 1;
  },
  bundles: async () => {
    await synthesise({ assembly: assemblies.local });
    console.table((await bundles()).map(({ name, bytes }) => ({ name, KB: Math.round(bytes / 1_000) })));
  },
};

function printFaults(figures: readonly FaultFigures[]): void {
  console.table(
    figures.map(({ ends, wrong, ...rest }) => ({ ...rest, ends: JSON.stringify(ends), wrong: wrong.length })),
  );
  for (const { at, fault, wrong } of figures)
    for (const line of wrong) console.log(`${at}, ${fault}: ${line}`);
  if (figures.some(({ wrong }) => wrong.length > 0)) process.exitCode = 1;
}

const name = process.argv[2] ?? '';
const proof = proofs[name];
if (!proof) {
  console.error(`Usage: npm run prove -- <${Object.keys(proofs).join(' | ')}>`);
  process.exit(1);
}
await proof();
