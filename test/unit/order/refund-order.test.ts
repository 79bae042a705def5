import { expect, it } from 'vitest';
import { cancellationRefundId } from '../../../functions/order/app/record-outcome.ts';
import { refundOrder } from '../../../functions/order/app/refund-order.ts';
import { decideOutcome, nextCommand } from '../../../functions/order/domain/decide.ts';
import type { Order } from '../../../functions/order/domain/order.ts';
import type { ProviderOutcome } from '../../../functions/payment/contract.ts';
import { History, noon, placedEvent } from './given.ts';

const authorized: ProviderOutcome = {
  step: 'authorise',
  outcome: 'authorized',
  authorizationId: 'auth_1',
  provider: 'sandbox',
};
const captured: ProviderOutcome = { step: 'capture', outcome: 'captured', captureId: 'cap_1' };
const answer = (outcome: ProviderOutcome) => (order: Order) =>
  decideOutcome(order, nextCommand(order, false)!, outcome, 'rfd_1');

it('never takes the id of the refund that a cancellation makes, whatever the key', async () => {
  const { events } = new History(placedEvent()).and(answer(authorized)).and(answer(captured));
  const refund = refundOrder({
    store: {
      load: async () => [...events],
      append: async (appended) => {
        events.push(...appended);
        return 'appended';
      },
    },
    now: () => noon,
    sleep: async () => {},
    random: () => 0.5,
  });
  const amount = { amount: 100, currency: 'KRW' as const };
  const { id } = await refund('ord_TEST1', { amount, reason: 'scratched' }, 'cancel');
  expect(id).not.toBe(cancellationRefundId('ord_TEST1'));
  expect((await refund('ord_TEST1', { amount, reason: 'scratched' }, 'cancel')).id).toBe(id);
});
