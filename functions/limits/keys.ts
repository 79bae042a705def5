/**
 * The limits table: how hard the store is pressed, and what heavy callers have asked for. Nothing in it is worth
 * keeping. Every function with a route reads and counts in it, so its keys are the kernel's (`limits-table.ts`).
 *
 * | access pattern | key |
 * |---|---|
 * | the level of shedding, as measured and as ordered, and the factor of quotas | pk = PRESSURE, sk = NOW |
 * | requests of a heavy caller in a window | pk = QUOTA#<quota>#<digest of the caller>, sk = <window> |
 */
export { pressureKey } from '../kernel/limits-table.ts';
