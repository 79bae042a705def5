import type { Received } from '../../kernel/events.ts';
import { type Facts, factsOf } from '../domain/facts.ts';

export interface Ports {
  /** Adds facts to the row of an order; facts that it has are the same ones. */
  readonly addFacts: (orderId: string, facts: Facts) => Promise<void>;
}

/**
 * Keeps the row of an order in the operators' list.
 * 1. Make a fact of each event (of one order).
 * 2. Add them to the row, unconditionally: what the row says is worked out from all its facts when it is read, so it
 *    does not matter how often, how late and in which order they come.
 */
export const followOrder =
  (ports: Ports) =>
  async (...events: readonly [Received, ...Received[]]): Promise<void> => {
    await ports.addFacts(events[0].orderId, factsOf(events));
  };
