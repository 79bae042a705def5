import * as z from 'zod/mini';
import { exportManifest } from '../../functions/finance/contract.ts';
import type { World } from './world.ts';

/** The bucket of the exports, each request of an actor a step. */
export class Bucket {
  readonly #world: World;
  readonly objects = new Map<string, Buffer>();

  constructor(world: World) {
    this.#world = world;
  }

  of(actor: string) {
    const { objects } = this;
    const ask = <T>(what: string, write: boolean, run: () => T) =>
      this.#world.call(actor, `s3 ${what}`, [{ place: 's3', sk: what.split(' ')[1], write }], run);
    const read = (key: string): Promise<Uint8Array | undefined> =>
      ask(`GET ${key}`, false, () => objects.get(key));
    return {
      read,
      write: (key: string, content: Uint8Array) =>
        ask(`PUT ${key}`, true, () => {
          objects.set(key, Buffer.from(content));
        }),
      create: (key: string, content: Uint8Array) =>
        ask(`PUT ${key} unless there`, true, () => {
          if (objects.has(key)) return false;
          objects.set(key, Buffer.from(content));
          return true;
        }),
      folders: (prefix: string, after: string, most: number) =>
        ask(`LIST ${prefix}`, false, () => {
          const keys = [...objects.keys()].filter((key) => key.startsWith(prefix) && key > after);
          const folders = keys.map((key) => key.slice(0, key.indexOf('/', prefix.length) + 1));
          return [...new Set(folders)].sort().slice(0, most);
        }),
      manifestAt: async (key: string) => {
        const content = await read(key);
        return content && z.parse(exportManifest, JSON.parse(Buffer.from(content).toString()));
      },
    };
  }
}
