import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { changePorts } from '../adapters/change-ports.ts';
import { checkoutWorkflow } from '../adapters/checkout-workflow.ts';
import { comingBack } from '../adapters/coming-back.ts';
import { runCheckout } from '../app/run-checkout.ts';
import { checkoutEvents, firstRuns } from '../contract.ts';

const { ORDER_TABLE: order, CHECKOUT_MACHINE_ARN } = environment('ORDER_TABLE', 'CHECKOUT_MACHINE_ARN');
const run = runCheckout({ ...changePorts({ order }), run: checkoutWorkflow(CHECKOUT_MACHINE_ARN) });

export const handler = comingBack(
  eventConsumer(checkoutEvents, ({ orderId, type, receives }) =>
    run({ orderId, resumed: receives > 1 || !firstRuns.includes(type) }),
  ),
);
