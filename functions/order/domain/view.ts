import type { Address, Money } from '../../kernel/contract.ts';
import { moneyOf } from '../../kernel/money.ts';
import type { OrderSummary, OrderView } from '../contract.ts';
import { awaitsShopper, currencyOf, type Order, refundedTotal } from './order.ts';

/** The order as the public API shows it. */
export function viewOf(order: Order): OrderView {
  const { placed } = order;
  const money = moneyIn(order);
  return {
    id: order.id,
    number: placed.number,
    status: order.status,
    version: order.version,
    lines: placed.lines.map((line) => ({
      sku: line.sku,
      productId: line.productId,
      name: line.name,
      quantity: line.quantity,
      unitPrice: money(line.unitPrice),
      discount: money(line.discount),
      tax: money(line.tax),
      total: money(line.total),
    })),
    subtotal: money(placed.subtotal),
    discount: money(placed.discount),
    shipping: money(placed.shipping),
    tax: money(placed.tax),
    taxIncluded: placed.taxIncluded,
    total: money(placed.total),
    currency: placed.currency,
    reservedUntil: placed.reservedUntil,
    payment: {
      status: paymentStatusOf(order),
      ...providerOf(order),
      ...(order.attempts > 0 && { method: 'card' as const }),
      ...(awaitsShopper(order) && { nextAction: order.open?.nextAction }),
      amountCaptured: money(order.captured?.amount ?? 0),
      amountRefunded: money(refundedTotal(order)),
      ...(order.lastError !== undefined && { lastError: order.lastError }),
    },
    shippingAddress: inOrder(order.shippingAddress),
    shippingMethod: placed.shippingMethod,
    createdAt: order.placedAt,
    updatedAt: order.updatedAt,
  };
}

/** The database keeps no order of members; a replay must be the first answer to the byte. */
function inOrder({ name, line1, line2, city, region, postalCode, country, phone }: Address): Address {
  return {
    name,
    line1,
    ...(line2 !== undefined && { line2 }),
    city,
    ...(region !== undefined && { region }),
    postalCode,
    country,
    ...(phone !== undefined && { phone }),
  };
}

function providerOf({ captured, open }: Order): { provider?: string } {
  const provider = captured?.provider ?? open?.provider;
  return provider === undefined ? {} : { provider };
}

function paymentStatusOf(order: Order): OrderView['payment']['status'] {
  if (awaitsShopper(order)) return 'requires_action';
  if (order.open?.unknown) return 'unknown';
  if (order.open) return order.open.step === 'authorise' ? 'pending' : 'authorized';
  if (order.captured) {
    const refunded = refundedTotal(order);
    if (refunded === 0) return 'captured';
    return refunded < order.captured.amount ? 'partially_refunded' : 'refunded';
  }
  return order.settled ?? 'none';
}

/** What events carry of the order, so that their consumers need no other table. */
export function summaryOf(order: Order): OrderSummary {
  const { placed } = order;
  const money = moneyIn(order);
  return {
    customerId: placed.customerId,
    number: placed.number,
    locale: placed.locale,
    lines: placed.lines.map(({ sku, name, quantity, total }) => ({
      sku,
      name,
      quantity,
      total: money(total),
    })),
    subtotal: money(placed.subtotal),
    discount: money(placed.discount),
    shipping: money(placed.shipping),
    tax: money(placed.tax),
    taxIncluded: placed.taxIncluded,
    total: money(placed.total),
  };
}

export function moneyIn(order: Order): (amount: number) => Money {
  return (amount) => moneyOf(amount, currencyOf(order));
}
