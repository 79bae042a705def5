import type { HttpRequest } from '../../kernel/http.ts';
import type { putCartLine as contract } from '../contract.ts';
import { requireBuyable } from '../domain/buyable.ts';
import { withLine } from '../domain/cart.ts';
import { type ChangePorts, changeLines } from './change-lines.ts';

/**
 * 1. Refuse a SKU that is not sold, or not in the cart's currency.
 * 2. Set its quantity, as a new line or in its place; the first line gives the cart its currency.
 */
export const putCartLine = (ports: ChangePorts) => (request: HttpRequest<typeof contract>) =>
  changeLines(ports, request, (cart, { prices }) => {
    const { sku } = request.params;
    const currency = requireBuyable([{ sku, pointer: '#/params/sku' }], prices, cart.currency);
    const lines = withLine(cart.lines, { sku, quantity: request.body.quantity });
    return { lines, ...(currency && { currency }) };
  });
