/**
 * The limits table: how hard the store is pressed, what heavy callers have asked for, and which sessions ended early.
 * Nothing in it is worth keeping for longer than a token lasts. Every function with a route reads and counts in it, so its
 * keys are the kernel's (`limits-table.ts`).
 *
 * | access pattern | key |
 * |---|---|
 * | the level of shedding, as measured and as ordered, the factor of quotas, and when the last session was ended | pk = PRESSURE, sk = NOW |
 * | requests of a heavy caller in a window | pk = QUOTA#<quota>#<digest of the caller>, sk = <window> |
 * | sessions and accounts' sessions that ended in the last hour, by time | pk = ENDED, sk = <milliseconds>#SESSION#<id> or #CUSTOMER#<sub> |
 */
export { pressureKey } from '../kernel/limits-table.ts';
