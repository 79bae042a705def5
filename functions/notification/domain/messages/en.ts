import type { Messages } from './messages.ts';

export const en: Messages = {
  locale: 'en',
  orderConfirmation: {
    subject: (number) => `Your order ${number} is confirmed`,
    heading: 'Thank you for your order',
    body: 'Your payment has arrived and we are getting your order ready.',
    refundable:
      'You can cancel until we hand the parcel over, and ask for a refund afterwards. Refunds go back to the card that you paid with.',
  },
  paymentDeclined: {
    subject: (number) => `The payment for order ${number} did not go through`,
    heading: 'Your payment did not go through',
    retry: (until) =>
      `We are keeping your items until ${until}. Until then you can pay again with the same or another card.`,
    notCharged: 'Nothing has been charged.',
    reasons: {
      declined: 'Your bank declined the payment. It can tell you why.',
      'insufficient-funds': 'There is not enough money available on the card.',
      'expired-card': 'The card has expired.',
      'authentication-failed': 'Your bank could not confirm that it was you.',
      'amount-mismatch': 'The amount that was authorised is not the amount of the order.',
      'not-received': 'The payment did not reach our payment provider.',
      voided: 'The authorisation was withdrawn before we could take the payment.',
      unknown: 'The payment could not be completed.',
    },
  },
  orderExpired: {
    subject: (number) => `Order ${number} has expired`,
    heading: 'Your order has expired',
    body: 'We did not receive a payment in time, so the items are no longer kept for you. Nothing has been charged.',
    again: 'If you still want them, please place a new order.',
  },
  orderCancelled: {
    subject: (number) => `Order ${number} is cancelled`,
    heading: 'Your order is cancelled',
    reasons: {
      shopper: 'We have cancelled the order as you asked.',
      operator: 'We had to cancel the order. We are sorry.',
      unpaid: 'The order was cancelled because it was not paid.',
    },
    money: 'If you had paid already, the money goes back to your card and you get an e-mail about it.',
  },
  refund: {
    subject: (number) => `Your refund for order ${number}`,
    heading: 'Your refund is on its way',
    body: (amount) => `We have refunded ${amount} to the card that you paid with.`,
    arrival: 'It can take a few working days until your bank shows it.',
  },
  orderNumber: 'Order number',
  date: 'Date',
  subtotal: 'Subtotal',
  discount: 'Discount',
  shipping: 'Shipping',
  taxIncluded: 'Tax included',
  taxAdded: 'Tax',
  total: 'Total',
  refunded: 'Refunded',
  refundedSoFar: 'Refunded so far',
  quantity: (count) => `× ${count}`,
  signature: 'Floodgate',
};
