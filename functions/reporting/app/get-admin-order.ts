import { DomainError } from '../../kernel/errors.ts';
import type { HttpRequest, HttpResponse } from '../../kernel/http.ts';
import type * as contract from '../contract.ts';

type Response = HttpResponse<typeof contract.getAdminOrder>;

export interface Ports {
  /** An order as its events tell it now; undefined when there is none. */
  readonly readOrder: (orderId: string) => Promise<Response['body'] | undefined>;
}

/**
 * Any customer's order.
 * @throws DomainError `not-found`
 */
export const getAdminOrder =
  (ports: Ports) =>
  async ({ params }: HttpRequest<typeof contract.getAdminOrder>): Promise<Response> => {
    const body = await ports.readOrder(params.orderId);
    if (!body) throw new DomainError('not-found', `There is no order ${params.orderId}.`);
    return { status: 200, body };
  };
