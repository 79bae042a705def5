import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { stockTable } from '../adapters/stock-table.ts';
import { getStock } from '../app/get-stock.ts';
import * as contract from '../contract.ts';

const { INVENTORY_TABLE } = environment('INVENTORY_TABLE');
const stock = stockTable(documents, INVENTORY_TABLE, systemNow);

export const handler = httpHandler(contract.getStock, getStock(stock));
