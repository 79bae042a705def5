import { join } from 'node:path';
import type { Route } from '../../../functions/kernel/contract.ts';
import { loadContracts } from '../../../scripts/docs/contracts.ts';
import { publicRoutes as routesOf } from '../../../scripts/docs/openapi.ts';

const contracts = await loadContracts(join(import.meta.dirname, '../../../functions'));

/**
 * Every route of the public API, found in the contracts; only the one for what no route takes is missing. Those about
 * drops are the last: from the first drop that opens, a store is busy with conducting them.
 */
export const publicRoutes: readonly Route[] = routesOf(contracts)
  .map(({ route }) => route)
  .toSorted((a, b) => Number(isAboutDrops(a)) - Number(isAboutDrops(b)));

function isAboutDrops({ path }: Route): boolean {
  return path.includes('/drops');
}
