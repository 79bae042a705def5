import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { readHeldStill } from '../adapters/held-still.ts';
import { productTable } from '../adapters/product-table.ts';
import { importProducts } from '../app/import-products.ts';
import * as contract from '../contract.ts';

const { CATALOG_TABLE, ADMISSION_TABLE } = environment('CATALOG_TABLE', 'ADMISSION_TABLE');
const heldStill = readHeldStill(documents, ADMISSION_TABLE, systemNow);
const ports = { ...productTable(documents, CATALOG_TABLE), heldStill, now: systemNow };

export const handler = httpHandler(contract.importProducts, importProducts(ports));
