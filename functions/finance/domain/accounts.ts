/**
 * The chart of accounts. `increases`: the side on which an account grows. What stands on both sides of
 * `payment-clearing` is owed to us by the payment provider until it settles. Memo accounts stand outside the
 * balance sheet: they balance among themselves.
 */
export const accounts = {
  /** Captured and not yet settled by the payment provider (asset). */
  'payment-clearing': { increases: 'debit', memo: false },
  /** Paid out to us by the payment provider (asset). */
  bank: { increases: 'debit', memo: false },
  /** Goods at list price, without tax and before discounts (income). */
  sales: { increases: 'credit', memo: false },
  /** What was taken off the list price (reduces income). */
  discounts: { increases: 'debit', memo: false },
  /** Goods given back, without tax (reduces income). */
  'sales-returns': { increases: 'debit', memo: false },
  /** Shipping that shoppers paid (income). */
  'shipping-income': { increases: 'credit', memo: false },
  /** Collected for the tax office (liability). */
  'tax-payable': { increases: 'credit', memo: false },
  /** What the payment provider keeps for its work (expense). */
  'payment-fees': { increases: 'debit', memo: false },
  /** Taken back by the shopper's bank (expense). */
  chargebacks: { increases: 'debit', memo: false },
  /** Money that was held at the provider and given up (memo). */
  'holds-given-up': { increases: 'debit', memo: true },
  /** The other side of it (memo). */
  'holds-given-up-contra': { increases: 'credit', memo: true },
} as const satisfies Record<string, { increases: 'debit' | 'credit'; memo: boolean }>;

export type Account = keyof typeof accounts;
