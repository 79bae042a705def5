import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import type { StoreMessage } from './store-process.ts';

export interface OwnStore {
  readonly apiUrl: string;
  /** Seconds of processor time that the store and its database have taken. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/**
 * Starts an empty store with an edge cache in a process of its own.
 * @param limits imposes AWS's documented limits
 * @throws Error when it does not come up
 */
export async function startOwnStore(limits: boolean, execArgv: readonly string[] = []): Promise<OwnStore> {
  const child = fork(new URL('./store-process.ts', import.meta.url), limits ? ['--limits'] : [], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A group of its own: what is pressed at the keyboard reaches us, and we end it.
    detached: true,
  });
  const message = await Promise.race([
    once(child, 'message').then(([told]) => told as StoreMessage),
    once(child, 'exit').then(([code]) => ({ kind: 'failed', reason: `exit code ${code}` }) as const),
  ]);
  if (message.kind === 'failed') throw new Error(`the store could not be started: ${message.reason}`);
  return {
    apiUrl: message.apiUrl,
    cpuSeconds: () => cpuSecondsOf(child.pid!),
    stop: () => stop(child),
  };
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const ended = once(child, 'exit');
  child.disconnect();
  const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(timer);
}

const ticksPerSecond = 100;

/** Of a process and all it has started, those that have ended included; 0 where there is no /proc. */
function cpuSecondsOf(pid: number): number {
  const stats = new Map<number, { parent: number; ticks: number }>();
  try {
    for (const entry of readdirSync('/proc')) {
      if (!/^\d+$/.test(entry)) continue;
      const stat = read(`/proc/${entry}/stat`);
      // The name stands in brackets and may hold spaces; user and system time are the 12th and 13th after it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
      stats.set(Number(entry), { parent: Number(fields[1]), ticks });
    }
  } catch {
    return 0;
  }
  const isOurs = (one: number): boolean =>
    one === pid || (stats.has(one) && one > 1 && isOurs(stats.get(one)!.parent));
  const ticks = [...stats].filter(([one]) => isOurs(one)).reduce((sum, [, stat]) => sum + stat.ticks, 0);
  return ticks / ticksPerSecond;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
