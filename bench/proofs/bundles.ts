import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface Bundle {
  readonly name: string;
  readonly bytes: number;
}

/** The size of every function's bundle, largest first. They are made by synthesis. */
export async function bundles(folder = '.build/functions'): Promise<Bundle[]> {
  const names = await readdir(folder);
  const sizes = await Promise.all(
    names.map(async (name) => {
      const files = await readdir(join(folder, name));
      const bytes = await Promise.all(files.map(async (file) => (await stat(join(folder, name, file))).size));
      return { name, bytes: bytes.reduce((a, b) => a + b, 0) };
    }),
  );
  return sizes.sort((a, b) => b.bytes - a.bytes);
}
