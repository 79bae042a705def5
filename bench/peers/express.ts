import { randomUUID } from 'node:crypto';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { address, callJson, program } from './calls.ts';
import { installPackages } from './install.ts';
import type { Peer } from './peer.ts';
import type { Postgres } from './postgres.ts';
import { freePort, serve } from './processes.ts';

const packages = { express: '5.3.0', pg: '8.23.1' };

/** Not a product: what one transaction of a relational database does behind the smallest web server. */
export function express(postgres: Postgres): Peer {
  return {
    name: 'Express + PostgreSQL',
    version: `express ${packages.express}, pg ${packages.pg}`,
    install: async (folder) => {
      await installPackages(folder, packages);
      await copyFile(program('express.mjs'), join(folder, 'server.mjs'));
    },
    start: async (folder) => {
      const port = await freePort();
      const url = `http://127.0.0.1:${port}`;
      const DATABASE_URL = await postgres.database('express');
      const env = { ...process.env, NODE_ENV: 'production', PORT: String(port), DATABASE_URL };
      const server = await serve(process.execPath, ['server.mjs'], { cwd: folder, env }, async () => {
        await fetch(url);
        return true;
      });
      return {
        processes: [server.pid],
        seed: async (available) => {
          const sku = randomUUID();
          await callJson('PUT', `${url}/products/${sku}`, { json: { price: 1_999, available } });
          return sku;
        },
        customer: async (sku) => ({
          checkout: async () => {
            const { status } = await callJson('POST', `${url}/orders`, {
              headers: { 'idempotency-key': randomUUID() },
              json: { sku, quantity: 1, customer: randomUUID(), address },
              expect: [201, 409],
            });
            return status === 201 ? 'sold' : 'refused';
          },
        }),
        stock: async (sku) => (await callJson('GET', `${url}/products/${sku}`)).body.available,
        rest: async () => {},
        stop: server.stop,
      };
    },
  };
}
