/**
 * The chart of accounts. `increases`: the side on which an account grows. What stands on both sides of
 * `payment-clearing` is owed to us by the payment provider until it settles.
 */
export const accounts = {
  /** Captured and not yet settled by the payment provider (asset). */
  'payment-clearing': { increases: 'debit' },
  /** Goods at list price, without tax and before discounts (income). */
  sales: { increases: 'credit' },
  /** What was taken off the list price (reduces income). */
  discounts: { increases: 'debit' },
  /** Goods given back, without tax (reduces income). */
  'sales-returns': { increases: 'debit' },
  /** Shipping that shoppers paid (income). */
  'shipping-income': { increases: 'credit' },
  /** Collected for the tax office (liability). */
  'tax-payable': { increases: 'credit' },
} as const satisfies Record<string, { increases: 'debit' | 'credit' }>;

export type Account = keyof typeof accounts;
