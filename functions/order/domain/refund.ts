import { DomainError } from '../../kernel/errors.ts';
import { allocate } from '../../kernel/money.ts';
import type { Order } from './order.ts';

/** Parts of an amount, in minor units: goods without tax, tax, shipping. */
interface Parts {
  readonly net: number;
  readonly tax: number;
  readonly shipping: number;
}

/**
 * Splits a refund over what is left of the goods, the tax and the shipping. Because each refund is split over
 * the remainders, any number of refunds that give everything back reverses the sale to the minor unit.
 */
export function splitRefund(order: Order, amount: number): Parts {
  const left = remaining(order);
  const [net = 0, tax = 0, shipping = 0] = allocate(amount, [left.net, left.tax, left.shipping]);
  return { net, tax, shipping };
}

function remaining(order: Order): Parts {
  const { tax, shipping, total } = order.placed;
  return order.refunds
    .filter(({ status }) => status !== 'failed')
    .reduce<Parts>(
      (left, { breakdown }) => ({
        net: left.net - breakdown.net,
        tax: left.tax - breakdown.tax,
        shipping: left.shipping - breakdown.shipping,
      }),
      { net: total - tax - shipping, tax, shipping },
    );
}

/**
 * What the given quantities of the order's lines cost, in minor units, tax included.
 * @throws DomainError `validation-failed` when the order has no such line or fewer units
 */
export function amountOfLines(order: Order, lines: readonly { sku: string; quantity: number }[]): number {
  const wanted = new Map<string, number>();
  for (const { sku, quantity } of lines) wanted.set(sku, (wanted.get(sku) ?? 0) + quantity);
  return [...wanted].reduce((sum, [sku, quantity]) => {
    const sold = order.placed.lines.filter((line) => line.sku === sku);
    const units = sold.reduce((total, line) => total + line.quantity, 0);
    if (quantity > units) {
      throw new DomainError('validation-failed', `The order has ${units} of ${sku}, not ${quantity}.`, {
        errors: [{ pointer: '#/lines', message: `${sku}: at most ${units}` }],
      });
    }
    const paid = sold.reduce(
      (total, line) => total + line.total + (order.placed.taxIncluded ? 0 : line.tax),
      0,
    );
    // The first units of the line: every split of the line sums to what was paid for it.
    const [part = 0] = allocate(paid, [quantity, units - quantity]);
    return sum + part;
  }, 0);
}
