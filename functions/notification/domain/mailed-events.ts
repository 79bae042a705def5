import {
  orderCancelled,
  orderExpired,
  paymentCaptured,
  paymentDeclined,
  refundCompleted,
} from '../../order/contract.ts';

/** The events that the shopper is written to about. */
export const mailedEvents = [
  paymentCaptured,
  paymentDeclined,
  orderExpired,
  orderCancelled,
  refundCompleted,
] as const;
