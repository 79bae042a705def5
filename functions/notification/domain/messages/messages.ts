/** Every text that an e-mail can hold. A catalogue that misses one does not compile. */
export interface Messages {
  /** BCP 47, for amounts and times. */
  readonly locale: string;
  readonly orderConfirmation: {
    readonly subject: (number: string) => string;
    readonly heading: string;
    readonly body: string;
    readonly refundable: string;
  };
  readonly paymentDeclined: {
    readonly subject: (number: string) => string;
    readonly heading: string;
    readonly retry: (until: string) => string;
    readonly notCharged: string;
    /** By the provider's reason code; `unknown` for one that nobody has put into words. */
    readonly reasons: Readonly<Record<DeclineReason, string>>;
  };
  readonly orderExpired: {
    readonly subject: (number: string) => string;
    readonly heading: string;
    readonly body: string;
    readonly again: string;
  };
  readonly orderCancelled: {
    readonly subject: (number: string) => string;
    readonly heading: string;
    readonly reasons: Readonly<Record<CancelReason, string>>;
    readonly money: string;
  };
  readonly refund: {
    readonly subject: (number: string) => string;
    readonly heading: string;
    readonly body: (amount: string) => string;
    readonly arrival: string;
  };
  readonly orderNumber: string;
  readonly date: string;
  readonly subtotal: string;
  readonly discount: string;
  readonly shipping: string;
  readonly taxIncluded: string;
  readonly taxAdded: string;
  readonly total: string;
  readonly refunded: string;
  readonly refundedSoFar: string;
  readonly quantity: (count: number) => string;
  readonly signature: string;
}

export type DeclineReason =
  | 'declined'
  | 'insufficient-funds'
  | 'expired-card'
  | 'authentication-failed'
  | 'amount-mismatch'
  | 'not-received'
  | 'voided'
  | 'unknown';

export type CancelReason = 'shopper' | 'operator' | 'unpaid';
