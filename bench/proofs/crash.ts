import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFreePort, isFree } from '../../local/ports.ts';
import { commandOf } from '../../local/processes.ts';
import { charges, clientOf, left, order, sell, settled, totalOf, until } from '../store.ts';

export interface CrashFigures {
  readonly purchases: number;
  /** Orders that were answered 201 before the process was killed. */
  readonly acknowledged: number;
  readonly killed: number;
  readonly foundAfterRestart: number;
  readonly captured: number;
  readonly repeatedRequestsThatMadeASecondOrder: number;
  readonly orders: number;
  readonly chargedTwice: number;
  readonly chargesWithoutOrder: number;
  readonly stockMissing: number;
  readonly processesLeft: number;
  readonly portsLeft: number;
}

/** The store's own process, as `npm start` runs it. */
async function startStore(
  home: string,
  port: number,
): Promise<{ child: ChildProcess; exited: Promise<unknown> }> {
  const child = spawn(process.execPath, ['local/start.ts'], {
    env: { ...process.env, PORT: String(port), FLOODGATE_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  await until(
    'the store serves',
    async () => {
      if (child.exitCode !== null) throw new Error(`the store ended:\n${output}`);
      const health = await fetch(`http://127.0.0.1:${port}/v1/health`).catch(() => undefined);
      return health?.ok && output.includes('Ctrl-C');
    },
    120_000,
  );
  return { child, exited };
}

/**
 * `kill -9` of the running store while 100 shoppers buy, and a restart: what was answered is there and reaches its
 * end, a shopper who repeats the request gets the same order, nothing is charged twice, nothing is left over.
 */
export async function crash(purchases = 100): Promise<CrashFigures> {
  const home = await mkdtemp(join(tmpdir(), 'floodgate-crash-'));
  const port = await findFreePort();
  let { child, exited } = await startStore(home, port);
  const processes = new Set<number>();
  try {
    const client = clientOf(`http://127.0.0.1:${port}`);
    const stock = 10 * purchases;
    const { sku } = await sell(client, { stock, shards: 8 });
    const lines = [{ sku, quantity: 1 }];
    const total = await totalOf(client, lines);
    const buyers = await Promise.all(
      Array.from({ length: purchases }, async () => ({
        ...(await client.account()),
        key: randomUUID(),
        orderId: '',
      })),
    );
    for (const pid of descendants(child.pid!)) processes.add(pid);

    let answered = 0;
    const dead = Promise.withResolvers<void>();
    const sent = buyers.map(async (buyer) => {
      const answer = await order(client, { ...buyer, lines, total }).catch(() => undefined);
      if (answer?.status !== 201) return;
      buyer.orderId = answer.body.id;
      // In the midst of it: some are answered, some are under way, none is paid for long.
      if (++answered === Math.floor(purchases / 3)) {
        child.kill('SIGKILL');
        dead.resolve();
      }
    });
    await Promise.all([dead.promise, ...sent]);
    await exited;
    const acknowledged = buyers.filter(({ orderId }) => orderId !== '');

    ({ child, exited } = await startStore(home, port));
    for (const pid of descendants(child.pid!)) processes.add(pid);
    const found = await Promise.all(
      acknowledged.map(({ token, orderId }) => client.request('GET', `/v1/orders/${orderId}`, { token })),
    );
    // Everybody asks again with the same key, as an app does that had no answer.
    const repeated = await Promise.all(buyers.map((buyer) => order(client, { ...buyer, lines, total })));
    const second = repeated.filter(
      ({ body }, index) => buyers[index]!.orderId !== '' && body.id !== buyers[index]!.orderId,
    );
    await Promise.all(
      repeated.map(({ body }, index) =>
        settled(client, buyers[index]!.token, body.id, { payment: 'captured' }, 120_000),
      ),
    );
    const ids = new Set<string>(repeated.map(({ body }) => body.id));
    const book = await charges(client);
    const captured = book.filter(({ status }) => status === 'captured');
    const figures = {
      purchases,
      acknowledged: acknowledged.length,
      killed: 1,
      foundAfterRestart: found.filter(({ status }) => status === 200).length,
      captured: captured.length,
      repeatedRequestsThatMadeASecondOrder: second.length,
      orders: ids.size,
      chargedTwice: captured.length - new Set(captured.map(({ orderId }) => orderId)).size,
      chargesWithoutOrder: book.filter(({ orderId }) => !ids.has(orderId)).length,
      stockMissing: stock - purchases - (await left(client, sku)),
    };
    child.kill('SIGINT');
    await exited;
    return {
      ...figures,
      processesLeft: [...processes].filter((pid) => commandOf(pid) !== undefined).length,
      portsLeft: (await isFree(port)) ? 0 : 1,
    };
  } finally {
    child.kill('SIGKILL');
    await rm(home, { recursive: true, force: true });
  }
}

/** The process and all that it has started, by id. */
function descendants(pid: number): number[] {
  const table = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const parents = table
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const family = [pid];
  for (const member of family)
    for (const [child, parent] of parents) if (parent === member) family.push(child!);
  return family;
}
