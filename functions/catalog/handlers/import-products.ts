import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { productTable } from '../adapters/product-table.ts';
import { importProducts } from '../app/import-products.ts';
import * as contract from '../contract.ts';

const { CATALOG_TABLE } = environment('CATALOG_TABLE');
const ports = { ...productTable(documents, CATALOG_TABLE), now: systemNow };

export const handler = httpHandler(contract.importProducts, importProducts(ports));
