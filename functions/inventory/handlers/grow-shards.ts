import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { heatList } from '../adapters/heat.ts';
import { stockTable } from '../adapters/stock-table.ts';
import { growShards } from '../app/grow-shards.ts';

const { INVENTORY_TABLE } = environment('INVENTORY_TABLE');
const stock = stockTable(documents, INVENTORY_TABLE, systemNow);
const pace = { now: systemNow, sleep: systemSleep, random: Math.random };

export const handler = growShards({ ...stock, ...pace, ...heatList(documents, INVENTORY_TABLE) });
