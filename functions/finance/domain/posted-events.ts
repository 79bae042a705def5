import { paymentCaptured, paymentVoided, refundCompleted } from '../../order/contract.ts';

/** The events that move the books, or a memo beside them. */
export const postedEvents = [paymentCaptured, refundCompleted, paymentVoided] as const;
