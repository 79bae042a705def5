import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { newId } from '../../kernel/ids.ts';
import { documents } from '../../kernel/table.ts';
import { readAvailability } from '../adapters/availability.ts';
import { readHeldStill } from '../adapters/held-still.ts';
import { productTable } from '../adapters/product-table.ts';
import { changeProduct } from '../app/change-product.ts';
import * as contract from '../contract.ts';

const env = environment('CATALOG_TABLE', 'INVENTORY_TABLE', 'ADMISSION_TABLE');
const availability = readAvailability(documents, env.INVENTORY_TABLE);
const heldStill = readHeldStill(documents, env.ADMISSION_TABLE, systemNow);
const table = productTable(documents, env.CATALOG_TABLE);
const ports = { ...table, availability, heldStill, newId, now: systemNow };

export const handler = httpHandler(contract.changeProduct, changeProduct(ports));
