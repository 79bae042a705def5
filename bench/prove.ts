/**
 * `npm run prove -- <name>`: runs one proof in a store of its own and prints its figures.
 */
import { synthesise } from '../local/synth.ts';
import { bundles } from './proofs/bundles.ts';
import { crash } from './proofs/crash.ts';
import { currencies } from './proofs/currencies.ts';
import { idempotency } from './proofs/idempotency.ts';
import { oversell, oversellCases } from './proofs/oversell.ts';
import { roles } from './proofs/roles.ts';
import { routes } from './proofs/routes.ts';

const proofs: Readonly<Record<string, () => Promise<void>>> = {
  oversell: async () => {
    const figures = [];
    for (const one of oversellCases) figures.push(await oversell(one));
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
  roles: async () => {
    const { tried, unnoticed } = await roles(console.log);
    console.table(tried);
    console.log(unnoticed.length === 0 ? 'every one was missed' : `not missed: ${unnoticed.join(', ')}`);
  },
  routes: async () => console.table(await routes(undefined, undefined, console.log)),
  bundles: async () => {
    await synthesise({ assembly: '.build/proof-assembly' });
    console.table((await bundles()).map(({ name, bytes }) => ({ name, KB: Math.round(bytes / 1_000) })));
  },
};

const name = process.argv[2] ?? '';
const proof = proofs[name];
if (!proof) {
  console.error(`Usage: npm run prove -- <${Object.keys(proofs).join(' | ')}>`);
  process.exit(1);
}
await proof();
