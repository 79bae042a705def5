import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { newId } from '../../kernel/ids.ts';
import { documents } from '../../kernel/table.ts';
import { readAvailability } from '../adapters/availability.ts';
import { productTable } from '../adapters/product-table.ts';
import { createProduct } from '../app/create-product.ts';
import * as contract from '../contract.ts';

const env = environment('CATALOG_TABLE', 'INVENTORY_TABLE');
const availability = readAvailability(documents, env.INVENTORY_TABLE);
const ports = { ...productTable(documents, env.CATALOG_TABLE), availability, newId, now: systemNow };

export const handler = httpHandler(contract.createProduct, createProduct(ports));
