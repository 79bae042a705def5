import { clientOf, openStore, type Store } from '../../../bench/store.ts';

let opened: Promise<Store> | undefined;

/**
 * The store that the tests of this folder share. Each call has an operator of its own: what moves the clock ends the
 * tokens of an hour before.
 */
export async function sharedStore(): Promise<Store> {
  opened ??= openStore();
  const store = await opened;
  return { ...store, ...clientOf(store.apiUrl) };
}

export async function closeSharedStore(): Promise<void> {
  await (await opened)?.stop();
}
