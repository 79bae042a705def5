import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as z from 'zod/mini';
import type { EventContract, Route } from '../../functions/kernel/contract.ts';

/** What a context declares in its `contract.ts`. */
export interface ContextContract {
  readonly context: string;
  readonly routes: readonly Route[];
  readonly events: readonly EventContract[];
  /** Exported schemas of objects, by the name of the constant. */
  readonly schemas: ReadonlyMap<string, z.ZodMiniType>;
}

/** The contracts of every folder of `functions` that has one, in the order of their names. */
export async function loadContracts(functions: string): Promise<readonly ContextContract[]> {
  const contexts: ContextContract[] = [];
  for (const context of await contextsWith(functions, 'contract.ts')) {
    const path = join(functions, context, 'contract.ts');
    const exported: Record<string, unknown> = await import(pathToFileURL(path).href);
    contexts.push({
      context,
      routes: Object.values(exported).filter(isRoute),
      events: Object.values(exported).filter(isEvent),
      schemas: new Map(
        Object.entries(exported).filter((entry): entry is [string, z.ZodMiniType] => isObject(entry[1])),
      ),
    });
  }
  return contexts;
}

/** The folders of `functions` that hold `file`, sorted. */
export async function contextsWith(functions: string, file: string): Promise<readonly string[]> {
  const entries = await readdir(functions, { withFileTypes: true });
  const holds = await Promise.all(
    entries.map(
      async (entry) => entry.isDirectory() && (await readdir(join(functions, entry.name))).includes(file),
    ),
  );
  return entries
    .filter((_, index) => holds[index])
    .map(({ name }) => name)
    .sort();
}

function has<K extends string>(value: unknown, ...keys: readonly K[]): value is Record<K, unknown> {
  return typeof value === 'object' && value !== null && keys.every((key) => key in value);
}

function isRoute(value: unknown): value is Route {
  return has(value, 'id', 'method', 'path', 'audience', 'responses');
}

function isEvent(value: unknown): value is EventContract {
  return has(value, 'source', 'type', 'version', 'body');
}

function isObject(value: unknown): value is z.ZodMiniType {
  return has(value, '_zod') && (value._zod as { def: { type: string } }).def.type === 'object';
}
