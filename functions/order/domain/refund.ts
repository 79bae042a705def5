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

/** Units of a SKU in an order. */
export interface Units {
  readonly sku: string;
  readonly quantity: number;
}

/**
 * What the given units cost, in minor units, tax included. Units are given back one after another, each once, so that
 * any series of such refunds sums to what was paid for the line.
 * @throws DomainError `validation-failed` when the order has no such line, or fewer units that are not given back
 */
export function amountOfLines(order: Order, lines: readonly Units[]): number {
  return [...unitsBySku(lines)].reduce((sum, [sku, quantity]) => {
    const sold = order.placed.lines.filter((line) => line.sku === sku);
    const units = sold.reduce((total, line) => total + line.quantity, 0);
    const before = unitsGivenBack(order, sku);
    if (before + quantity > units) {
      const left = units - before;
      throw new DomainError(
        'validation-failed',
        `${left} of ${sku} can still be refunded, not ${quantity}.`,
        {
          errors: [{ pointer: '#/lines', message: `${sku}: at most ${left}` }],
        },
      );
    }
    const paid = sold.reduce(
      (total, line) => total + line.total + (order.placed.taxIncluded ? 0 : line.tax),
      0,
    );
    const priceOf = (count: number) => Number((BigInt(paid) * BigInt(count)) / BigInt(units));
    return sum + priceOf(before + quantity) - priceOf(before);
  }, 0);
}

function unitsBySku(lines: readonly Units[]): ReadonlyMap<string, number> {
  const units = new Map<string, number>();
  for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) + quantity);
  return units;
}

function unitsGivenBack(order: Order, sku: string): number {
  return order.refunds
    .filter(({ status }) => status !== 'failed')
    .flatMap(({ lines }) => lines)
    .filter((line) => line.sku === sku)
    .reduce((sum, { quantity }) => sum + quantity, 0);
}
