import { left, until } from '../store.ts';
import type { Accepted, Check, Ground } from './ground.ts';

/** What the store says of an order at the end. */
interface EndedOrder {
  readonly id: string;
  readonly status: string;
  readonly total: number;
  readonly captured: number;
  readonly refunded: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface Charge {
  readonly orderId: string;
  readonly status: string;
  readonly amount: { readonly amount: number };
  readonly refunded: number | { readonly amount: number };
}

/** All there is to hold against each other. Units and minor units. */
export interface Facts {
  readonly accepted: readonly Accepted[];
  /** Those that could be read. */
  readonly orders: readonly EndedOrder[];
  readonly stock: readonly { readonly sku: string; readonly before: number; readonly after: number }[];
  /** Orders by anybody whose lines are of these SKUs; undefined when it cannot be known. */
  readonly book: readonly Charge[] | undefined;
}

const holding = ['placed', 'paid', 'fulfilled', 'delivered'];

/** Holds the store, what it has answered, and the provider's book against each other. */
export function invariantsOf({ accepted, orders, stock, book }: Facts): Check[] {
  const byId = new Map(orders.map((order) => [order.id, order]));
  const lost = accepted.filter(({ id }) => !byId.has(id));
  const open = orders.filter(({ status }) => status === 'placed');
  const checks: Check[] = [
    {
      name: 'every accepted order is there, and at an end',
      holds: lost.length === 0 && open.length === 0,
      detail: `${accepted.length} accepted, ${lost.length} lost, ${open.length} still open`,
    },
  ];
  const taken = new Map<string, number>();
  for (const order of orders.filter(({ status }) => holding.includes(status))) {
    for (const { sku, quantity } of order.lines) taken.set(sku, (taken.get(sku) ?? 0) + quantity);
  }
  const wrong = stock.filter(({ sku, before, after }) => before - after !== (taken.get(sku) ?? 0));
  const sold = stock.reduce((sum, { before, after }) => sum + before - after, 0);
  const [first] = wrong;
  checks.push({
    name: 'stock taken = units of the accepted orders',
    holds: wrong.length === 0,
    detail: first
      ? `${wrong.length} SKUs differ; ${first.sku}: ${first.before - first.after} taken, ${taken.get(first.sku) ?? 0} ordered`
      : `${sold} units of ${stock.length} SKUs`,
  });
  const oversold = stock.filter(({ after }) => after < 0);
  checks.push({
    name: 'nothing is oversold',
    holds: oversold.length === 0,
    detail: `${oversold.length} SKUs below zero`,
  });
  checks.push(bookCheck(orders, book));
  return checks;
}

function bookCheck(orders: readonly EndedOrder[], book: Facts['book']): Check {
  const name = "the provider's book: one charge for each paid order, to its total, and none besides";
  if (!book) return { name, holds: undefined, detail: 'the book cannot be read from here' };
  const kept = new Map<string, number[]>();
  for (const { orderId, status, amount } of book) {
    if (status !== 'captured' && status !== 'refunded') continue;
    kept.set(orderId, [...(kept.get(orderId) ?? []), amount.amount]);
  }
  const known = new Set(orders.map(({ id }) => id));
  const twice = [...kept.values()].filter((amounts) => amounts.length > 1).length;
  const strange = [...kept.keys()].filter((id) => !known.has(id)).length;
  const differing = orders.filter(
    ({ id, captured }) => (kept.get(id) ?? []).reduce((sum, amount) => sum + amount, 0) !== captured,
  ).length;
  const short = orders.filter(({ captured, total }) => captured !== 0 && captured !== total).length;
  return {
    name,
    holds: twice + strange + differing + short === 0,
    detail: `${kept.size} charges; ${twice} orders charged twice, ${strange} charges without an order, ${differing} orders that say otherwise, ${short} not to the total`,
  };
}

/** How many orders are read at a time. */
const atOnce = 16;

/** Reads every order that was accepted, as its own shopper sees it. */
export async function readOrders(
  ground: Ground,
  accepted: readonly Accepted[],
): Promise<readonly EndedOrder[]> {
  const waiting = [...accepted];
  const orders: EndedOrder[] = [];
  let last = '';
  const reader = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { id, token } = next;
      // Only "there is none" means that it is lost; a store that is still pressed is asked again.
      const { status, body } = await until(`order ${id} can be read`, async () => {
        const answer = await ground.client.request('GET', `/v1/orders/${id}`, { token });
        last = `${answer.status} ${answer.text.slice(0, 200)}`;
        return answer.status === 200 || answer.status === 404 ? answer : undefined;
      }).catch((error) => {
        throw new Error(`${error.message}, but ${last}`);
      });
      if (status === 404) continue;
      orders.push({
        id: body.id,
        status: body.status,
        total: body.total.amount,
        captured: body.payment.amountCaptured.amount,
        refunded: body.payment.amountRefunded.amount,
        lines: body.lines,
      });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, reader));
  return orders;
}

/** The invariants of a run, against the store and the provider's book. @param before units by SKU at the start */
export async function checkInvariants(
  ground: Ground,
  before: ReadonlyMap<string, number>,
): Promise<{ checks: Check[]; orders: readonly EndedOrder[] }> {
  const orders = await readOrders(ground, ground.accepted);
  const stock: { sku: string; before: number; after: number }[] = [];
  for (const [sku, units] of before)
    stock.push({ sku, before: units, after: await left(ground.client, sku) });
  const known = new Set(ground.accepted.map(({ id }) => id));
  const book = await ground.book();
  // A store that others use as well has charges that are none of ours.
  const ours = ground.options.url ? book?.filter(({ orderId }) => known.has(orderId)) : book;
  return { checks: invariantsOf({ accepted: ground.accepted, orders, stock, book: ours }), orders };
}
