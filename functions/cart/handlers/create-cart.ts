import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { httpHandler } from '../../kernel/http.ts';
import { newId } from '../../kernel/ids.ts';
import { documents } from '../../kernel/table.ts';
import { cartTable } from '../adapters/cart-table.ts';
import { market } from '../adapters/market.ts';
import { createCart } from '../app/create-cart.ts';
import * as contract from '../contract.ts';

const env = environment('CART_TABLE', 'CATALOG_TABLE', 'INVENTORY_TABLE');
const carts = cartTable(documents, env.CART_TABLE);
const ports = { now: systemNow, newId, ...carts, market: market(documents, env) };

export const handler = httpHandler(contract.createCart, createCart(ports));
