import { randomBytes } from 'node:crypto';
import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readShards, unitsIn } from '../../inventory/published.ts';
import { systemNow } from '../../kernel/clock.ts';
import type * as announce from '../app/announce-drop.ts';
import type * as change from '../app/change-drop.ts';
import type * as show from '../app/show-drops.ts';
import { newKeyPair } from './drop-keys.ts';
import { dropTable } from './drop-table.ts';
import { loadStanding } from './standing.ts';

/** What operators see and do of drops; they read what is stored now. */
export function operatorPorts(
  documents: DynamoDBDocumentClient,
  env: { readonly ADMISSION_TABLE: string; readonly INVENTORY_TABLE: string },
): show.Ports & change.Ports {
  const { ADMISSION_TABLE: table, INVENTORY_TABLE: inventory } = env;
  const drops = dropTable(documents, table, systemNow);
  const load = (dropId: string) => loadStanding(documents, table, dropId, { consistent: true });
  return {
    now: systemNow,
    load,
    standing: load,
    save: drops.change,
    settle: drops.settle,
    list: drops.list,
    stock: async (skus) => {
      const stock = await readShards(documents, inventory, skus);
      return skus.map((sku) => {
        const shards = stock.get(sku)?.shards ?? [];
        return { sku, available: unitsIn(shards), shards: shards.length };
      });
    },
  };
}

/** @param keyArn the KMS key that wraps the drops' private keys */
export function announcePorts(
  documents: DynamoDBDocumentClient,
  env: {
    readonly ADMISSION_TABLE: string;
    readonly INVENTORY_TABLE: string;
    readonly ADMISSION_KEY_ARN: string;
  },
): announce.Ports {
  const { find, save } = dropTable(documents, env.ADMISSION_TABLE, systemNow);
  return {
    now: systemNow,
    find,
    save,
    unstocked: async (skus) => {
      const stock = await readShards(documents, env.INVENTORY_TABLE, skus);
      return skus.filter((sku) => !stock.has(sku));
    },
    newKeys: (dropId) => newKeyPair(env.ADMISSION_KEY_ARN, dropId),
    newOrderKey: () => randomBytes(32).toString('base64'),
  };
}
