import { readFileSync } from 'node:fs';
import { TokenBucket } from './token-bucket.ts';
import type { Clock, Limits } from './types.ts';

/** Whether and how AWS's documented limits are imposed. */
export interface LimitOptions {
  /** Multiplies rates and counts, by name (`dynamodb.partitionWriteUnits`), by service (`dynamodb`), or all (`*`). */
  readonly factors?: Readonly<Record<string, number>>;
}

interface LimitsFile {
  readonly limits: Readonly<Record<string, { readonly value: number }>>;
}

const file = new URL('../bench/limits.json', import.meta.url);

/** The limits of bench/limits.json, on the embedded cloud's clock. Without options none is imposed. */
export function createLimits(clock: Clock, options: LimitOptions | undefined): Limits {
  const { limits } = JSON.parse(readFileSync(file, 'utf8')) as LimitsFile;
  const factors = options?.factors ?? {};
  for (const [name, factor] of Object.entries(factors)) {
    const known =
      name === '*' || name in limits || Object.keys(limits).some((one) => serviceOf(one) === name);
    if (!known) throw new Error(`${name} is no limit of bench/limits.json`);
    if (!(factor > 0)) throw new Error(`the factor of ${name} must be a number above 0`);
  }
  const buckets = new Map<string, TokenBucket>();
  const documented = (name: string): number => {
    const limit = limits[name];
    if (!limit) throw new Error(`${name} is no limit of bench/limits.json`);
    return limit.value;
  };
  const scaled = (name: string): number =>
    documented(name) * (factors[name] ?? factors[serviceOf(name)] ?? factors['*'] ?? 1);
  return {
    imposed: options !== undefined,
    documented,
    scaled,
    take(rate, { count = 1, burst, of = '' } = {}) {
      if (options === undefined) return true;
      const key = `${rate} ${of}`;
      let bucket = buckets.get(key);
      if (!bucket) {
        // A bucket of less than one token would never let anything through.
        const size = Math.max(1, burst === undefined ? scaled(rate) : scaled(burst));
        bucket = new TokenBucket(scaled(rate), size, clock.now);
        buckets.set(key, bucket);
      }
      return bucket.take(count);
    },
  };
}

function serviceOf(limit: string): string {
  return limit.slice(0, limit.indexOf('.'));
}

/** The factors of a file, as `npm start -- --limits=<file>` names it. @throws Error for what is no such file */
export function readFactors(path: string): LimitOptions {
  const factors: unknown = JSON.parse(readFileSync(path, 'utf8'));
  if (typeof factors !== 'object' || factors === null || Array.isArray(factors))
    throw new Error(`${path} must hold an object of factors by limit, service or "*"`);
  return { factors: factors as Record<string, number> };
}
