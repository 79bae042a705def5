import type { ProviderCommand } from '../../payment/contract.ts';
import { decideUnknown, nextCommand } from '../domain/decide.ts';
import { fold } from '../domain/order.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

export interface Ports extends ChangePorts {
  /** Runs the saga to its end, or to its time limit. */
  readonly run: (command: ProviderCommand) => Promise<{ ended: 'succeeded' | 'failed'; error: string }>;
}

/** A run that is not the first of its payment must ask the provider before it sends anything. */
export interface Occasion {
  readonly orderId: string;
  readonly resumed: boolean;
}

/**
 * Takes an order one step nearer to its end at the payment provider.
 * 1. The order's events say what is outstanding; often nothing is, and that is the end.
 * 2. The saga runs: provider call, outcome recorded, next call, until nothing is outstanding.
 * 3. A run that fails leaves the outcome unknown, which the order says; the message comes back later, and that run
 *    asks first.
 * @throws Error when the run did not end well
 */
export const runCheckout =
  (ports: Ports) =>
  async ({ orderId, resumed }: Occasion): Promise<void> => {
    const events = await ports.store.load(orderId);
    const command = events.length > 0 ? nextCommand(fold(events), resumed) : undefined;
    if (!command) return;
    const { ended, error } = await ports.run(command);
    if (ended === 'succeeded') return;
    await changeOrder(ports, orderId, decideUnknown);
    throw new Error(`the saga of ${orderId} ended with ${error}`);
  };
