import type { HttpRequest } from '../../kernel/http.ts';
import type { deleteCartLine as contract } from '../contract.ts';
import { withoutLine } from '../domain/cart.ts';
import { type ChangePorts, changeLines } from './change-lines.ts';

/** Takes the SKU out of the cart; what is not in it is gone already. */
export const deleteCartLine = (ports: ChangePorts) => (request: HttpRequest<typeof contract>) =>
  changeLines(ports, request, (cart) => ({ lines: withoutLine(cart.lines, request.params.sku) }));
