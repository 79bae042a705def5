import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { readAvailability } from '../adapters/availability.ts';
import { productFeed } from '../adapters/product-feed.ts';
import { listProducts } from '../app/list-products.ts';
import * as contract from '../contract.ts';

const { CATALOG_TABLE, INVENTORY_TABLE } = environment('CATALOG_TABLE', 'INVENTORY_TABLE');
const products = productFeed(documents, CATALOG_TABLE, systemNow);
const availability = readAvailability(documents, INVENTORY_TABLE);

export const handler = httpHandler(contract.listProducts, listProducts({ products, availability }));
