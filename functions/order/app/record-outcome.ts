import { derivedId } from '../../kernel/ids.ts';
import type { ProviderCommand, ProviderOutcome } from '../../payment/contract.ts';
import { decideOutcome, nextCommand } from '../domain/decide.ts';
import { type ChangePorts, changeOrder } from './change-order.ts';

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
  (ports: ChangePorts) =>
  async (command: ProviderCommand, outcome: ProviderOutcome): Promise<Next> => {
    const refundId = cancellationRefundId(command.orderId);
    const order = await changeOrder(ports, command.orderId, (current) =>
      decideOutcome(current, command, outcome, refundId),
    );
    if (!order) throw new Error(`there is no order ${command.orderId}`);
    return nextCommand(order, false) ?? { step: 'done' };
  };
