import { assemblies } from '../../bench/store.ts';
import { synthesise } from '../../local/synth.ts';

/** The cloud assembly that the store tests run. */
export const assembly = assemblies.local;

/** Makes each assembly once, and only when something has changed: two tests that began together would both make it. */
export default async function setup(): Promise<void> {
  await synthesise({ assembly });
  await synthesise({ assembly: assemblies.prod, stage: 'prod' });
}
