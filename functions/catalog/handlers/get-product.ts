import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { readAvailability } from '../adapters/availability.ts';
import { productTable } from '../adapters/product-table.ts';
import { getProduct } from '../app/get-product.ts';
import * as contract from '../contract.ts';

const { CATALOG_TABLE, INVENTORY_TABLE } = environment('CATALOG_TABLE', 'INVENTORY_TABLE');
const { glimpse } = productTable(documents, CATALOG_TABLE);
const availability = readAvailability(documents, INVENTORY_TABLE);

export const handler = httpHandler(contract.getProduct, getProduct({ product: glimpse, availability }));
