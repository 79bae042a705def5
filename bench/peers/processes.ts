import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

/** Runs to its end. @throws Error with the last lines of what it wrote */
export async function run(command: string, args: readonly string[], options: SpawnOptions): Promise<string> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const told = collected(child);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}:\n${told().slice(-2_000)}`);
  return told();
}

export interface Server {
  readonly pid: number;
  /** With SIGTERM, and SIGKILL when it has not gone after ten seconds. */
  stop(): Promise<void>;
}

/** Starts a server and waits until `ready` answers true. @throws Error when it ends before, or after two minutes */
export async function serve(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  ready: () => Promise<boolean>,
): Promise<Server> {
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  const told = collected(child);
  const gone = once(child, 'close');
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGTERM');
    const killing = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(killing);
  };
  const deadline = performance.now() + 120_000;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`${command} ended:\n${told().slice(-2_000)}`);
    if (await ready().catch(() => false)) return { pid: child.pid!, stop };
    if (performance.now() > deadline) {
      await stop();
      throw new Error(`${command} is not ready after two minutes:\n${told().slice(-2_000)}`);
    }
    await new Promise((done) => setTimeout(done, 200));
  }
}

function collected(child: ChildProcess): () => string {
  let text = '';
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-20_000);
  };
  child.stdout?.on('data', add);
  child.stderr?.on('data', add);
  return () => text;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

/** Linux counts a process's time in hundredths of a second (getconf CLK_TCK). */
const ticksPerSecond = 100;

/** User and system seconds of these processes and all of their descendants, those that have ended included. */
export async function cpuSeconds(roots: readonly number[]): Promise<number> {
  const processes = new Map<number, { parent: number; ticks: number }>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => undefined);
    // The name of the program, in parentheses, may hold anything; the parent is the second field after it.
    const fields = stat
      ?.slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number);
    if (!fields) continue;
    const [user = 0, system = 0, userOfEnded = 0, systemOfEnded = 0] = fields.slice(11, 15);
    processes.set(Number(name), {
      parent: fields[1]!,
      ticks: user + system + userOfEnded + systemOfEnded,
    });
  }
  const belongs = (pid: number): boolean => {
    if (roots.includes(pid)) return true;
    const parent = processes.get(pid)?.parent;
    return parent !== undefined && parent > 1 && belongs(parent);
  };
  let ticks = 0;
  for (const [pid, one] of processes) if (belongs(pid)) ticks += one.ticks;
  return ticks / ticksPerSecond;
}
