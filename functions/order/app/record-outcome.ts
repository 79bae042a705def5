import { derivedId } from '../../kernel/ids.ts';
import type { ProviderCommand, ProviderOutcome } from '../../payment/contract.ts';
import { decideOutcome, nextCommand } from '../domain/decide.ts';
import type { Order } from '../domain/order.ts';
import { awaitsShopper } from '../domain/order.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

export interface Ports extends ChangePorts {
  /** Told for how many seconds an attempt was open that has now been closed. */
  readonly settled?: (seconds: number) => void;
}

/** The next thing to ask of the provider, or `done`. */
export type Next = ProviderCommand | { readonly step: 'done' };

/** The refund that follows when an order is cancelled after its money was taken: one at most. */
export function cancellationRefundId(orderId: string): string {
  return derivedId('rfd', orderId, 'cancel');
}

/**
 * A state of the saga: appends what the provider's answer means for the order, and says what is next.
 * @throws Error when there is no such order
 */
export const recordOutcome =
  (ports: Ports) =>
  async (command: ProviderCommand, outcome: ProviderOutcome): Promise<Next> => {
    const refundId = cancellationRefundId(command.orderId);
    let before: Order['open'];
    const order = await changeOrder(ports, command.orderId, (current) => {
      before = current.open;
      return decideOutcome(current, command, outcome, refundId);
    });
    if (!order) throw new Error(`there is no order ${command.orderId}`);
    // The time that the shopper takes for 3-D Secure is not ours.
    if (before && !before.nextAction && !order.open) {
      ports.settled?.((Date.parse(order.updatedAt) - Date.parse(before.openedAt)) / 1000);
    }
    // The shopper's move: whoever hears of it begins another run.
    if (awaitsShopper(order)) return { step: 'done' };
    return nextCommand(order, false) ?? { step: 'done' };
  };
