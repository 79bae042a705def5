import { synthesise } from '../../local/synth.ts';

/** The cloud assembly that the store tests run; synthesised once, and only when something has changed. */
export const assembly = '.build/test-assembly';

export default async function setup(): Promise<void> {
  await synthesise({ assembly });
}
