import { parseArgs } from 'node:util';
import { systemSleep } from '../../functions/kernel/clock.ts';
import { dynamoDueOrders } from '../../functions/order/adapters/due-orders.ts';
import { dynamoEventStore } from '../../functions/order/adapters/event-store.ts';
import { changeOrder } from '../../functions/order/app/change-order.ts';
import { decideReminder } from '../../functions/order/domain/hint.ts';
import { dueBuckets } from '../../functions/order/keys.ts';
import type { Deployment } from './deployment.ts';
import { type Lever, UsageError } from './lever.ts';

/** Milliseconds: the reconciler itself waits longer and longer, and never asks twice within two minutes. */
const atLeast = 2 * 60_000;

/** Asks about payments that have been outstanding for long, without waiting for the reconciler's next look. */
export const stuckOrders: Lever = {
  summary:
    'finds orders whose payment or refund has been outstanding for long, and asks the provider about them now',
  usage: '[--minutes 15] [--order ord_…]',
  async plan(deployment, args) {
    const { values } = parseArgs({
      args: [...args],
      options: { minutes: { type: 'string', default: '15' }, order: { type: 'string' } },
    });
    const minutes = Number(values.minutes);
    if (!(minutes >= 0)) throw new UsageError('--minutes is a number');
    const now = await deployment.now();
    const stuck = (await outstandingOrders(deployment)).filter(
      ({ orderId, since }) =>
        now - Date.parse(since) >= minutes * 60_000 && (!values.order || orderId === values.order),
    );
    if (stuck.length === 0) return { says: [`No order has been outstanding for ${minutes} minutes.`] };
    return {
      says: [
        ...stuck.map(({ orderId, since, lookAt }) => `${orderId}: since ${since}, next look at ${lookAt}`),
        `would ask the provider about ${stuck.length === 1 ? 'it' : `all ${stuck.length}`} now`,
      ],
      go: async () => {
        const outcome: string[] = [];
        for (const { orderId } of stuck) outcome.push(`${orderId}: ${await restart(deployment, orderId)}`);
        return outcome;
      },
    };
  },
};

async function outstandingOrders({ documents, table }: Deployment) {
  const due = dynamoDueOrders(documents, table('order'));
  const buckets = Array.from({ length: dueBuckets }, (_, bucket) => due.waiting(bucket));
  return (await Promise.all(buckets)).flat().sort((a, b) => a.since.localeCompare(b.since));
}

/** Appends the reconciler's own event, as if its time had come. */
async function restart({ documents, table, now }: Deployment, orderId: string): Promise<string> {
  const at = await now();
  let asked = false;
  let why = 'nothing is outstanding any more';
  const order = await changeOrder(
    {
      store: dynamoEventStore(documents, { order: table('order') }),
      now: () => at,
      sleep: systemSleep,
      random: Math.random,
    },
    orderId,
    (current) => {
      const young = at - Date.parse(current.updatedAt) < atLeast;
      if (young) why = 'it has moved within the last two minutes';
      const decision = young
        ? { events: [], release: false }
        : decideReminder(current, Number.MAX_SAFE_INTEGER);
      asked = decision.events.length > 0;
      return decision;
    },
  );
  if (!order) return 'there is no such order';
  return asked ? 'the provider is asked now' : why;
}
