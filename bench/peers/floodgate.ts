import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { configOf } from '../../lib/config.ts';
import { type Answer, busyQueues, clientOf, left, order, sell, until } from '../store.ts';
import { address } from './calls.ts';
import type { Peer } from './peer.ts';
import { freePort, serve } from './processes.ts';

const root = join(import.meta.dirname, '../..');

/**
 * This store in its embedded cloud, which keeps everything on disk. A checkout is answered once the order is placed; it
 * has come to rest when the payment is captured, journalled and mailed, which the same processes do.
 * @param profiles where Node puts profiles of the cloud and its functions, if it is to make any
 */
export function floodgate(profiles?: string): Peer {
  return {
    name: 'Floodgate',
    version: `this checkout, settings of stage ${configOf('local').stage}`,
    install: async () => {},
    start: async (folder) => {
      const port = await freePort();
      const home = join(folder, 'home');
      const env = { ...process.env, PORT: String(port), FLOODGATE_HOME: home };
      const client = clientOf(`http://127.0.0.1:${port}`);
      const profiling = profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`];
      const server = await serve(
        process.execPath,
        [...profiling, 'local/start.ts'],
        { cwd: root, env },
        async () => {
          const { status, body } = await client.request('GET', '/_local');
          return status === 200 && body.seeded === true;
        },
      );
      return {
        processes: [server.pid],
        seed: (stock) => sell(client, { stock }),
        customer: async ({ sku }) => {
          const { token } = await client.account();
          const lines = [{ sku, quantity: 1 }];
          return {
            checkout: async () => {
              // The cart tells what it comes to, as a shopper sees it before ordering.
              const cart = await patiently(() =>
                client.request('POST', `/v1/carts?country=${country}`, { token, json: { lines } }),
              );
              const { total } = cart.body;
              const key = randomUUID();
              const { status, body, text } = await patiently(() =>
                order(client, { token, lines, total, key, country }),
              );
              if (status === 201) return 'sold';
              if (status === 409 && body.type.endsWith('/out-of-stock')) return 'refused';
              throw new Error(`Floodgate: ${status} ${text}`);
            },
          };
        },
        stock: ({ sku }) => left(client, sku),
        rest: async () => {
          const quiet = async () => (await busyQueues(client)).length === 0;
          // Between a stream and a queue an event is in neither for a moment.
          for (let seen = 0; seen < 3; ) {
            await until('all queues are empty', quiet, 600_000);
            await new Promise((done) => setTimeout(done, 100));
            seen = (await quiet()) ? seen + 1 : 0;
          }
        },
        stop: async () => {
          await server.stop();
          await rm(home, { recursive: true, force: true });
        },
      };
    },
  };
}

const { country } = address;
/** A client that is told to come later does so, as often as this. */
const patience = 30;

/** All buyers here come from one address, and a store that is busy sheds: both say when to come again. */
async function patiently(ask: () => Promise<Answer>): Promise<Answer> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (![429, 503].includes(answer.status) || tries === patience) return answer;
    const seconds = Number(answer.headers.get('retry-after') ?? 1);
    await new Promise((done) => setTimeout(done, 1_000 * seconds * Math.random()));
  }
}
