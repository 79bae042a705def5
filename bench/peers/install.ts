import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './processes.ts';

/** Installs exactly these versions into a package of its own. No install script is run. */
export async function installPackages(folder: string, dependencies: Readonly<Record<string, string>>) {
  await mkdir(folder, { recursive: true });
  const manifest = { name: 'peer', private: true, dependencies };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, undefined, 2));
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: folder });
}
