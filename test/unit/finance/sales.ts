import fc from 'fast-check';
import { refundEntry, saleEntry } from '../../../functions/finance/domain/journal.ts';
import type { Currency } from '../../../functions/kernel/contract.ts';
import type { OrderSummary } from '../../../functions/order/contract.ts';
import { splitRefund } from '../../../functions/order/domain/refund.ts';

const currencies: readonly Currency[] = ['KRW', 'JPY', 'USD', 'EUR', 'GBP', 'KWD'];

/** The amounts of an order, in minor units. */
export interface Sale {
  readonly orderId: string;
  readonly at: string;
  readonly currency: Currency;
  readonly subtotal: number;
  readonly discount: number;
  readonly shipping: number;
  readonly tax: number;
  readonly taxIncluded: boolean;
}

export function totalOf({ subtotal, discount, shipping, tax, taxIncluded }: Sale): number {
  return subtotal - discount + shipping + (taxIncluded ? 0 : tax);
}

/** Sales as a cart can quote them: tax is a part of, or comes on top of, what is left after the discount. */
export const anySale: fc.Arbitrary<Sale> = fc
  .record({
    number: fc.nat({ max: 999_999 }),
    at: fc.date({
      min: new Date('2026-01-01T00:00:00Z'),
      max: new Date('2026-12-31T00:00:00Z'),
      noInvalidDate: true,
    }),
    currency: fc.constantFrom(...currencies),
    subtotal: fc.integer({ min: 1, max: 900_000_000 }),
    discountPart: fc.double({ min: 0, max: 1, noNaN: true }),
    taxPart: fc.double({ min: 0, max: 0.3, noNaN: true }),
    shipping: fc.constantFrom(0, 1, 500, 3_000),
    taxIncluded: fc.boolean(),
  })
  .map(({ number, at, discountPart, taxPart, subtotal, ...sale }) => {
    const discount = Math.floor(subtotal * discountPart);
    return {
      ...sale,
      orderId: `ord_${number}`,
      at: at.toISOString(),
      subtotal,
      discount,
      tax: Math.floor((subtotal - discount) * taxPart),
    };
  });

export function capturedOf(sale: Sale) {
  const money = (amount: number) => ({ amount, currency: sale.currency });
  const summary: OrderSummary = {
    customerId: 'customer-1',
    number: 'FG-1',
    locale: 'ko',
    lines: [],
    subtotal: money(sale.subtotal),
    discount: money(sale.discount),
    shipping: money(sale.shipping),
    tax: money(sale.tax),
    taxIncluded: sale.taxIncluded,
    total: money(totalOf(sale)),
  };
  return {
    id: `evt_${sale.orderId.slice(4)}-3`,
    orderId: sale.orderId,
    at: sale.at,
    body: { attempt: 1, amount: money(totalOf(sale)), summary },
  };
}

/** Refunds of these amounts, split as the order splits them. */
export function refundsOf(sale: Sale, amounts: readonly number[]) {
  const money = (amount: number) => ({ amount, currency: sale.currency });
  const refunds: { status: 'completed'; breakdown: { net: number; tax: number; shipping: number } }[] = [];
  return amounts.map((amount, index) => {
    const placed = { tax: sale.tax, shipping: sale.shipping, total: totalOf(sale) };
    const parts = splitRefund({ placed, refunds } as unknown as Parameters<typeof splitRefund>[0], amount);
    refunds.push({ status: 'completed', breakdown: parts });
    const breakdown = { net: money(parts.net), tax: money(parts.tax), shipping: money(parts.shipping) };
    return {
      id: `evt_${sale.orderId.slice(4)}-${10 + index}`,
      orderId: sale.orderId,
      at: sale.at,
      body: { refundId: `rfd_${sale.orderId.slice(4)}${10 + index}`, amount: money(amount), breakdown },
    };
  });
}

/** The journal entries of a sale and of refunds of these amounts. */
export function entriesOf(sale: Sale, amounts: readonly number[], timeZone = 'Asia/Seoul') {
  return [
    saleEntry(capturedOf(sale), timeZone),
    ...refundsOf(sale, amounts).map((event) => refundEntry(event, timeZone)),
  ];
}
