import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { openDrop } from '../adapters/open-drop.ts';
import { stockTable } from '../adapters/stock-table.ts';
import { setStock } from '../app/set-stock.ts';
import * as contract from '../contract.ts';

const { INVENTORY_TABLE, ADMISSION_TABLE } = environment('INVENTORY_TABLE', 'ADMISSION_TABLE');
const stock = stockTable(documents, INVENTORY_TABLE, systemNow);
const drops = { openDrop: openDrop(documents, ADMISSION_TABLE, systemNow) };
const pace = { now: systemNow, sleep: systemSleep, random: Math.random };

export const handler = httpHandler(contract.setStock, setStock({ ...stock, ...drops, ...pace }));
