import { cartTable } from '../../functions/cart/table.infra.ts';
import { balances, type JournalEntry, totalsOf } from '../../functions/finance/domain/journal.ts';
import { postedEvents } from '../../functions/finance/domain/posted-events.ts';
import { financeTable } from '../../functions/finance/table.infra.ts';
import { unexplained } from '../../functions/inventory/domain/shards.ts';
import { shardOf } from '../../functions/inventory/published.ts';
import { mailedEvents } from '../../functions/notification/domain/mailed-events.ts';
import {
  captureRequested,
  orderPlaced,
  paymentRequested,
  refundRequested,
  voidRequested,
} from '../../functions/order/contract.ts';
import { fold, type Order, type OrderEvent, refundedTotal } from '../../functions/order/domain/order.ts';
import { type Charge, lapsed } from '../../functions/sandbox/domain/charge.ts';
import { chargeKey, chargeSort } from '../../functions/sandbox/keys.ts';
import { sandboxTable } from '../../functions/sandbox/table.infra.ts';
import type { Item } from './expressions.ts';
import { eventsOf } from './given.ts';
import { intentsOf, type MoneyCall, orderOf, type World } from './world.ts';

/**
 * Judges every money call at the moment at which it reaches the provider: it follows its intent, which is an event.
 * @returns what is wrong, or undefined
 */
export function wrongMoneyCall(world: World, { action, chargeId, body }: MoneyCall): string | undefined {
  const key = chargeKey(chargeId);
  const charge = world.tables.item(sandboxTable.name, key.pk, key.sk) as Charge | undefined;
  const made = action === 'authorizations' || action === 'payments';
  const reference = String(made ? body.reference : charge?.reference);
  const attempt = Number(/-(\d+)$/.exec(reference)?.[1]);
  const history = eventsOf(world, orderOf(reference));
  if (history.length === 0) return `${action} of ${reference}: there is no such order`;
  const events = history.filter(({ type }) => intentsOf[action].includes(type));
  const bodies = (type: string) =>
    events.filter((one) => one.type === type).map((one) => JSON.parse(one.body));
  const has = (type: string) => bodies(type).some((one) => one.attempt === attempt);
  switch (action) {
    case 'authorizations':
    // A payment authorised in the browser is charged by its confirmation.
    case 'payments': {
      // One is opened with the order, or by a request of its own.
      const opened = bodies(orderPlaced.type).filter(({ payment }) => payment).length;
      return opened + bodies(paymentRequested.type).length >= attempt
        ? undefined
        : `${reference} is authorised without an open attempt`;
    }
    case 'captures':
      return has(captureRequested.type) ? undefined : `${reference} is captured without an intent`;
    case 'voids':
      return has(voidRequested.type) ? undefined : `${reference} is voided without an intent`;
    case 'refunds': {
      const intent = bodies(refundRequested.type).find((one) => one.refundId === body.reference);
      return intent?.amount.amount === body.amount
        ? undefined
        : `${reference} is refunded ${body.amount} without an intent of that amount`;
    }
  }
}

/**
 * Judges the latches at every moment: while one is closed nobody is sold anything, so there must be nothing to sell.
 * @returns what is wrong, or undefined
 */
export function wrongLatch(world: World): string | undefined {
  const items = world.tables.all('inventory');
  for (const { sku, soldOut, sk } of items) {
    if (sk !== 'HEADER' || !soldOut) continue;
    const left = items
      .filter((item) => item.sk === 'SHARD' && item.sku === sku)
      .reduce((sum, { available }) => sum + available, 0);
    if (left > 0) return `the latch of ${sku} is closed over ${left} units`;
  }
  return undefined;
}

/** Units in stock before anybody bought. */
export interface Expectation {
  readonly units: number;
}

/** What is wrong with the world at rest; every line a sentence. Nothing when all accounts agree. */
export function wrongsAtRest(world: World, { units }: Expectation): string[] {
  const ids = [...new Set(world.tables.all('order').flatMap(({ orderId }) => orderId ?? []))];
  const histories = ids.map((id) => eventsOf(world, id));
  const orders = histories.map(fold);
  const lines = world.tables
    .all(sandboxTable.name)
    .filter(({ sk }) => sk === chargeSort) as unknown as Charge[];
  const charges = lines.map((charge) => lapsed(charge, world.now));
  return [
    ...world.wrongs,
    ...histories.flatMap(wrongIntents),
    ...orders.flatMap((order) => wrongEnd(order)),
    ...orders.flatMap((order) =>
      wrongMoney(
        order,
        charges.filter((one) => orderOf(one.reference) === order.id),
      ),
    ),
    ...charges
      .filter(({ reference }) => !ids.includes(orderOf(reference)))
      .map((one) => `${one.reference} has no order`),
    ...wrongStock(world, orders, units),
    ...wrongCarts(world, orders),
    ...wrongLetters(world, histories.flat()),
    ...wrongJournal(world, histories.flat(), charges),
  ];
}

function wrongEnd(order: Order): string[] {
  const wrong: string[] = [];
  if (order.open) wrong.push(`an attempt of ${order.id} is open for ever: ${order.open.step}`);
  if (order.wish) wrong.push(`the wish of ${order.id} is not carried out: ${order.wish}`);
  if (order.status === 'placed') wrong.push(`${order.id} stays placed`);
  for (const { id, status } of order.refunds)
    if (status === 'pending') wrong.push(`refund ${id} is pending for ever`);
  return wrong;
}

/** A capture and a void of one attempt exclude each other, unless the capture failed. */
function wrongIntents(events: readonly OrderEvent[]): string[] {
  const attempts = (type: string) =>
    events
      .filter((one) => one.type === type)
      .map((one) => JSON.parse(one.body) as { attempt: number; because?: string });
  const captures = attempts(captureRequested.type).map(({ attempt }) => attempt);
  const voids = attempts(voidRequested.type);
  return [
    ...voids
      .filter(({ attempt, because }) => captures.includes(attempt) && because !== 'capture-failed')
      .map(({ attempt }) => `attempt ${attempt} was to be captured and voided`),
    ...(new Set(captures).size < captures.length ? ['two intents to capture one attempt'] : []),
  ];
}

function wrongMoney(order: Order, charges: readonly Charge[]): string[] {
  const wrong: string[] = [];
  const captured = charges.filter((charge) => charge.captured > 0);
  if (captured.length > 1) wrong.push(`${order.id} was charged ${captured.length} times`);
  for (const { reference, state } of charges)
    if (!['captured', 'voided', 'declined'].includes(state))
      wrong.push(`the hold of ${reference} stays: ${state}`);
  const taken = captured.reduce((sum, charge) => sum + charge.captured, 0);
  const given = captured.flatMap(({ refunds }) => refunds).reduce((sum, { amount }) => sum + amount, 0);
  if (taken !== (order.captured?.amount ?? 0))
    wrong.push(`${order.id} says ${order.captured?.amount ?? 0} was captured, the provider ${taken}`);
  if (taken > 0 && taken !== order.placed.total)
    wrong.push(`${order.id} costs ${order.placed.total}, ${taken} was taken`);
  if (given !== refundedTotal(order))
    wrong.push(`${order.id} says ${refundedTotal(order)} was refunded, the provider ${given}`);
  const ids = captured.map(({ id }) => id.replace(/^aut_/, 'cap_'));
  if (order.captured && ids.length === 1 && order.captured.captureId !== ids[0])
    wrong.push(`${order.id} says it was captured as ${order.captured.captureId}, the provider ${ids[0]}`);
  if (order.status === 'paid' && taken === 0) wrong.push(`${order.id} is paid without money`);
  if (order.status !== 'paid' && taken !== given)
    wrong.push(`${order.id} is ${order.status} and keeps ${taken - given} of the shopper’s money`);
  return wrong;
}

function wrongStock(world: World, orders: readonly Order[], opened: number): string[] {
  const shards = world.tables.all('inventory').filter(({ sk }) => sk === 'SHARD');
  const sum = (of: (shard: Item) => number) => shards.reduce((total, shard) => total + (of(shard) ?? 0), 0);
  const left = sum(({ available }) => available);
  const adjusted = world.tables.all('inventory').reduce((total, { adjust }) => total + (adjust ?? 0), 0);
  const units = opened + adjusted;
  const quantities = (of: readonly Order[]) =>
    of.flatMap(({ placed }) => placed.draws).reduce((total, { quantity }) => total + quantity, 0);
  const sold = quantities(orders.filter(({ status }) => status === 'paid'));
  const counts = {
    moved: [sum(({ moved }) => moved), 0],
    drawn: [sum(({ drawn }) => drawn), quantities(orders)],
    released: [sum(({ released }) => released), quantities(orders) - sold],
  };
  return [
    ...shards.filter(({ available }) => available < 0).map(({ shard }) => `shard ${shard} is below zero`),
    ...(left + sold === units ? [] : [`of ${units} units ${left} are left and ${sold} sold`]),
    ...shards
      .filter((item) => unexplained(shardOf(item.shard, item)) !== 0)
      .map(({ shard }) => `the counts of shard ${shard} do not explain its units`),
    ...Object.entries(counts)
      .filter(([, [is, due]]) => is !== due)
      .map(([name, [is, due]]) => `${is} units count as ${name}, not ${due}`),
  ];
}

function wrongCarts(world: World, orders: readonly Order[]): string[] {
  return world.tables.all(cartTable.name).flatMap(({ cartId, orderId }) => {
    const made = orders.filter(({ placed }) => placed.cartId === cartId);
    if (made.length > 1) return [`the cart became ${made.length} orders`];
    return made[0]?.id === orderId ? [] : [`the cart says order ${orderId}, the order is ${made[0]?.id}`];
  });
}

function wrongLetters(world: World, events: readonly OrderEvent[]): string[] {
  const types = new Set<string>(mailedEvents.map(({ type }) => type));
  const due = tally(
    events.filter(({ type }) => types.has(type)).map(({ orderId, type }) => `${type} of ${orderId}`),
  );
  const sent = tally(world.letters.map(({ orderId, type }) => `${type} of ${orderId}`));
  return [...new Set([...due.keys(), ...sent.keys()])]
    .filter((letter) => due.get(letter) !== sent.get(letter))
    .map((letter) => `${sent.get(letter) ?? 0} e-mails about ${letter}, not ${due.get(letter) ?? 0}`);
}

function wrongJournal(world: World, events: readonly OrderEvent[], charges: readonly Charge[]): string[] {
  const types = new Set<string>(postedEvents.map(({ type }) => type));
  const entries = world.tables
    .all(financeTable.name)
    .filter(({ sk }) => sk.startsWith('ENTRY#')) as unknown as JournalEntry[];
  const due = events.filter(({ type }) => types.has(type)).map(({ id }) => id);
  const posted = entries.map(({ eventId }) => eventId);
  const postings = entries.flatMap((entry) => entry.postings);
  const clearing = postings
    .filter(({ account }) => account === 'payment-clearing')
    .reduce((sum, { debit, credit }) => sum + debit - credit, 0);
  const book = charges.reduce(
    (sum, { captured, refunds }) => sum + captured - refunds.reduce((total, { amount }) => total + amount, 0),
    0,
  );
  return [
    ...(due.sort().join() === posted.sort().join() ? [] : [`the journal has ${posted}, not ${due}`]),
    ...(balances(totalsOf(postings)) ? [] : ['the journal does not balance']),
    ...(clearing === book ? [] : [`the journal clears ${clearing}, the provider’s book says ${book}`]),
  ];
}

function tally(names: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
