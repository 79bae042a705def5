import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { documents } from '../../kernel/table.ts';
import { checkoutWorkflow } from '../adapters/checkout-workflow.ts';
import { loadEvents } from '../adapters/event-store.ts';
import { runCheckout } from '../app/run-checkout.ts';
import { expiryRequested, orderPlaced, paymentRequested, refundRequested } from '../contract.ts';

const { ORDER_TABLE: table, CHECKOUT_MACHINE_ARN: machine } = environment(
  'ORDER_TABLE',
  'CHECKOUT_MACHINE_ARN',
);
const run = runCheckout({ load: (id) => loadEvents(documents, table, id), run: checkoutWorkflow(machine) });

export const handler = eventConsumer(
  [orderPlaced, paymentRequested, refundRequested, expiryRequested],
  ({ orderId, type, receives }) => run({ orderId, resumed: receives > 1 || type === expiryRequested.type }),
);
