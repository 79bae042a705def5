import * as z from 'zod/mini';

/**
 * The named environment variables of a function, read once when it starts.
 * @throws Error naming every missing or empty variable.
 */
export function environment<const K extends string>(...names: readonly K[]): Readonly<Record<K, string>> {
  const shape = Object.fromEntries(names.map((name) => [name, z.string().check(z.minLength(1))]));
  const result = z.safeParse(z.object(shape), process.env);
  if (!result.success) {
    const missing = result.error.issues.map((issue) => issue.path.join('.')).join(', ');
    throw new Error(`environment variables missing or empty: ${missing}`);
  }
  return result.data as Record<K, string>;
}
