import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { documents } from '../../kernel/table.ts';
import { productFeed } from '../adapters/product-feed.ts';
import { listCategories } from '../app/list-categories.ts';
import * as contract from '../contract.ts';

const { CATALOG_TABLE } = environment('CATALOG_TABLE');
const products = productFeed(documents, CATALOG_TABLE, systemNow);

export const handler = httpHandler(contract.listCategories, listCategories({ products }));
