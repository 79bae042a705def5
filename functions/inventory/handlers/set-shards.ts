import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { stockTable } from '../adapters/stock-table.ts';
import { setShards } from '../app/set-shards.ts';
import * as contract from '../contract.ts';

const { INVENTORY_TABLE } = environment('INVENTORY_TABLE');
const stock = stockTable(documents, INVENTORY_TABLE, systemNow);
const pace = { now: systemNow, sleep: systemSleep, random: Math.random };

export const handler = httpHandler(contract.setShards, setShards({ ...stock, ...pace }));
