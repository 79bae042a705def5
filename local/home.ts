import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort, isFree } from './ports.ts';
import { identityOf } from './processes.ts';

/**
 * Takes the folder for this process, so that no two clouds write the same state. Returns the release. The lock of a
 * process that no longer runs is taken over.
 * @throws Error when a running process holds it.
 */
export function lockHome(home: string): () => void {
  mkdirSync(home, { recursive: true });
  const file = join(home, 'lock');
  const mine = identityOf(process.pid) ?? String(process.pid);
  for (;;) {
    try {
      writeFileSync(file, mine, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = readFileSync(file, 'utf8');
    const pid = Number.parseInt(holder, 10);
    if (identityOf(pid) === holder) {
      throw new Error(
        `Another process (${pid}) is already serving from ${home}. Stop it, or set FLOODGATE_HOME.`,
      );
    }
    rmSync(file, { force: true });
  }
}

/**
 * The ports of this home's listeners, by name: free ones at first, then the same at every start, so that what was
 * stored with an address in it stays true.
 * @param fixed the port of one listener, which is not chosen here
 * @throws Error with code `PORT_TAKEN` when the fixed port is in use.
 */
export async function choosePorts(
  home: string,
  names: readonly string[],
  fixed?: { name: string; port: number },
): Promise<Map<string, number>> {
  const file = join(home, 'ports.json');
  const remembered = readPorts(file);
  const ports = new Map<string, number>();
  const taken = new Set<number>();
  for (const name of names) {
    let port = name === fixed?.name ? fixed.port : remembered[name];
    const usable = port !== undefined && !taken.has(port) && (await isFree(port));
    if (!usable) {
      if (name === fixed?.name) throw new PortTakenError(fixed.port);
      port = await findFreePort(taken);
    }
    taken.add(port!);
    ports.set(name, port!);
  }
  writeFileSync(file, `${JSON.stringify({ ...remembered, ...Object.fromEntries(ports) }, null, 2)}\n`);
  return ports;
}

class PortTakenError extends Error {
  readonly code = 'PORT_TAKEN';
  constructor(port: number) {
    super(`Port ${port} is already in use. Stop what listens there, or choose another with PORT=<number>.`);
    this.name = 'PortTakenError';
  }
}

function readPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // The first start, or a file cut short by a crash: new ports do no harm.
    return {};
  }
}
