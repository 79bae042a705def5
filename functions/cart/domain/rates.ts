import type { Currency } from '../../kernel/contract.ts';
import type { ShippingMethod } from '../contract.ts';

/** A consumption tax: `millionths` of the net price, already in our prices (`included`) or added to them. */
export interface TaxRate {
  readonly millionths: number;
  readonly included: boolean;
}

const none: TaxRate = { millionths: 0, included: false };

/**
 * Standard rates by destination (ISO 3166-1 alpha-2): VAT in KR, GB and DE, consumption tax in JP. Reduced rates
 * are not told apart. The US has no entry: its sales taxes go by state, county and kind of goods, which takes a
 * tax service; until one is connected no sales tax is charged. Kuwait has no VAT.
 */
const taxes: Readonly<Record<string, TaxRate>> = {
  KR: { millionths: 100_000, included: true },
  JP: { millionths: 100_000, included: true },
  GB: { millionths: 200_000, included: true },
  DE: { millionths: 190_000, included: true },
};

/** No tax where no rate is known. */
export function taxRateOf(country: string): TaxRate {
  return Object.hasOwn(taxes, country) ? taxes[country]! : none;
}

interface ShippingFees {
  readonly standard: number;
  readonly express: number;
  /** A subtotal from which `standard` costs nothing. */
  readonly freeFrom: number;
}

/** Flat fees in minor units. */
const shippingFees: Readonly<Record<Currency, ShippingFees>> = {
  KRW: { standard: 3_000, express: 6_000, freeFrom: 50_000 },
  JPY: { standard: 600, express: 1_200, freeFrom: 6_000 },
  USD: { standard: 599, express: 1_499, freeFrom: 5_000 },
  EUR: { standard: 499, express: 1_299, freeFrom: 5_000 },
  GBP: { standard: 399, express: 999, freeFrom: 4_000 },
  KWD: { standard: 1_500, express: 3_500, freeFrom: 15_000 },
};

/** @param subtotal minor units after discounts; @returns minor units */
export function shippingFee(currency: Currency, method: ShippingMethod, subtotal: number): number {
  const fees = shippingFees[currency];
  return method === 'standard' && subtotal >= fees.freeFrom ? 0 : fees[method];
}
