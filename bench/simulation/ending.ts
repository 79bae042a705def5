import { createHash } from 'node:crypto';
import type { Bucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import type { Item } from './expressions.ts';
import type { History } from './history.ts';
import { orderOf, type World } from './world.ts';

/** Milliseconds by which two processes' clocks differ at most. */
const clocksDiffer = 2_000;

/** Events that a consumer has a duty to. Spelled here again, so that a change of the product's own list is noticed. */
const duties = {
  journal: ['payment.captured', 'refund.completed', 'payment.voided'],
  mail: ['payment.captured', 'payment.declined', 'order.expired', 'order.cancelled', 'refund.completed'],
} as const;

/** What the run leaves behind, read as it is stored. */
export interface Ended {
  readonly world: World;
  readonly history: History;
  readonly bus: Bus;
  readonly bucket: Bucket;
  /** Mishaps that came to pass. */
  readonly mishaps: readonly string[];
}

/** What is wrong once everything has come to rest; every line a sentence. */
export function wrongsAtTheEnd({ world, history, bus, bucket, mishaps }: Ended): string[] {
  const orders = Map.groupBy(
    world.tables.all('order').filter(({ sk }) => sk.startsWith('EVENT#')),
    ({ orderId }) => orderId as string,
  );
  const charges = world.tables.all('sandbox').filter(({ sk }) => sk === 'CHARGE');
  const journal = world.tables.all('finance').filter(({ sk }) => sk.startsWith('ENTRY#'));
  const events = [...orders.values()].flat();
  return [
    ...world.wrongs,
    ...history.wrongAdjustments(),
    ...history.wrongLimits(),
    ...[...orders].flatMap(([id, items]) =>
      wrongOrder(
        id,
        items,
        charges.filter(({ reference }) => orderOf(reference) === id),
      ),
    ),
    ...[...history.acknowledgedOrders.keys()]
      .filter((id) => !orders.has(id))
      .map((id) => `${id} was acknowledged and is gone`),
    ...history.promises
      .filter(({ orderId }) => !orders.get(orderId)?.some(({ type }) => type === 'order.cancelled'))
      .map(({ orderId }) => `${orderId} was cancelled, its shopper was told, and it is not`),
    ...charges
      .filter(({ reference }) => !orders.has(orderOf(reference)))
      .map(({ reference }) => `${reference} was charged for no order`),
    ...wrongCarts(world, orders),
    ...wrongMail(world, events, mishaps),
    ...wrongJournal(journal, events, charges),
    ...wrongRows(world, events, bus),
    ...wrongExports(journal, bucket),
    ...openDifferences(bucket),
  ];
}

function bodiesOf(items: readonly Item[], type: string): any[] {
  return items.filter((item) => item.type === type).map(({ body }) => JSON.parse(body));
}

function wrongOrder(id: string, items: readonly Item[], charges: readonly Item[]): string[] {
  const wrong: string[] = [];
  const has = (type: string) => items.some((item) => item.type === type);
  const seqs = items.map(({ seq }) => seq).sort((a, b) => a - b);
  if (seqs.some((seq, index) => seq !== index + 1)) wrong.push(`an event of ${id} is missing`);
  const ends = ['order.cancelled', 'order.expired'].filter(has);
  const captures = bodiesOf(items, 'payment.captured');
  if (ends.length > 1) wrong.push(`${id} has ended in two ways`);
  if (ends.length === 0 && captures.length === 0) wrong.push(`${id} stays placed`);
  if (has('order.expired') && captures.length > 0) wrong.push(`${id} is paid and expired`);
  if (captures.length > 1) wrong.push(`${id} was captured ${captures.length} times by its own account`);
  if (openAttempt(items)) wrong.push(`an attempt of ${id} is open for ever`);
  const [placed] = bodiesOf(items, 'order.placed');
  const expired = items.find(({ type }) => type === 'order.expired');
  if (expired && Date.parse(expired.at) < Date.parse(placed.reservedUntil) - clocksDiffer)
    wrong.push(`${id} expired before its time`);
  return [...wrong, ...wrongMoney(id, placed.total, items, charges)];
}

/** An attempt begins with the order or by a request, and ends with money or without. */
function openAttempt(items: readonly Item[]): boolean {
  const [placed] = bodiesOf(items, 'order.placed');
  const opened = (placed.payment ? 1 : 0) + bodiesOf(items, 'payment.requested').length;
  const ends = ['payment.captured', 'payment.voided', 'payment.declined'];
  const ended = new Set(ends.flatMap((type) => bodiesOf(items, type).map(({ attempt }) => attempt)));
  return ended.size < opened;
}

function wrongMoney(id: string, total: number, items: readonly Item[], charges: readonly Item[]): string[] {
  const wrong: string[] = [];
  const kept = charges.filter(({ captured }) => captured > 0);
  const taken = sum(kept.map(({ captured }) => captured));
  const given = sum(kept.flatMap(({ refunds }) => refunds.map(({ amount }: Item) => amount)));
  const refunds = bodiesOf(items, 'refund.completed');
  const asked = bodiesOf(items, 'refund.requested').length;
  const settled = refunds.length + bodiesOf(items, 'refund.failed').length;
  const captured = sum(bodiesOf(items, 'payment.captured').map(({ amount }) => amount.amount));
  const refunded = sum(refunds.map(({ amount }) => amount.amount));
  if (kept.length > 1) wrong.push(`${id} was charged ${kept.length} times`);
  if (taken !== captured) wrong.push(`${id} says ${captured} was captured, the provider ${taken}`);
  if (taken > 0 && taken !== total) wrong.push(`${id} costs ${total}, ${taken} was taken`);
  if (given !== refunded) wrong.push(`${id} says ${refunded} was refunded, the provider ${given}`);
  if (asked !== settled) wrong.push(`a refund of ${id} is pending for ever`);
  for (const { reference, state } of charges)
    if (state === 'authorized') wrong.push(`the hold of ${reference} stays`);
  const cancelled = items.some(({ type }) => type === 'order.cancelled');
  if (cancelled && taken !== given) wrong.push(`${id} is cancelled and keeps ${taken - given}`);
  return wrong;
}

function wrongCarts(world: World, orders: ReadonlyMap<string, readonly Item[]>): string[] {
  const made = new Map<string, string[]>();
  for (const [id, items] of orders) {
    const { cartId } = bodiesOf(items, 'order.placed')[0] ?? {};
    if (cartId) made.set(cartId, [...(made.get(cartId) ?? []), id]);
  }
  return world.tables.all('cart').flatMap(({ cartId, orderId }) => {
    const ids = made.get(cartId) ?? [];
    if (ids.length > 1) return [`cart ${cartId} became ${ids.length} orders`];
    return ids[0] === orderId ? [] : [`cart ${cartId} says order ${orderId}, the order is ${ids[0]}`];
  });
}

/** At least one of each; a second copy only where the sender ended or lost an answer. */
function wrongMail(world: World, events: readonly Item[], mishaps: readonly string[]): string[] {
  const due = events.filter(({ type }) => (duties.mail as readonly string[]).includes(type));
  const sent = Map.groupBy(world.letters, ({ orderId, type }) => `${type} of ${orderId}`);
  const wanted = Map.groupBy(due, ({ orderId, type }) => `${type} of ${orderId}`);
  const wrong = [...sent.keys()]
    .filter((letter) => !wanted.has(letter))
    .map((one) => `an e-mail about no ${one}`);
  for (const [letter, about] of wanted) {
    const copies = sent.get(letter)?.length ?? 0;
    const excused = about.some(({ id }) => mishaps.some((one) => one.includes(`send-mail ${id} `)));
    if (copies < about.length) wrong.push(`${copies} e-mails about ${letter}, not ${about.length}`);
    if (copies > about.length && !excused) wrong.push(`${copies} e-mails about ${letter} for no reason`);
  }
  return wrong;
}

function wrongJournal(journal: readonly Item[], events: readonly Item[], charges: readonly Item[]): string[] {
  const due = events.filter(({ type }) => (duties.journal as readonly string[]).includes(type));
  const posted = journal.filter(({ eventId }) => eventId.startsWith('evt_')).map(({ eventId }) => eventId);
  const clearing = journal
    .filter(({ eventId }) => eventId.startsWith('evt_'))
    .flatMap(({ postings }) => postings as Item[])
    .filter(({ account }) => account === 'payment-clearing');
  const cleared = sum(clearing.map(({ debit, credit }) => debit - credit));
  const book = sum(
    charges.map(({ captured, refunds }) => captured - sum(refunds.map(({ amount }: Item) => amount))),
  );
  const same =
    due
      .map(({ id }) => id)
      .sort()
      .join() === [...posted].sort().join();
  return [
    ...(same ? [] : [`the journal has ${posted.length} entries of events, not ${due.length}`]),
    ...(cleared === book ? [] : [`the journal clears ${cleared}, the provider’s book says ${book}`]),
  ];
}

/** The operators' list knows each event that came to the bus. */
function wrongRows(world: World, events: readonly Item[], bus: Bus): string[] {
  return events.flatMap((event) => {
    if (bus.lost.has(event.id)) return [];
    const row = world.tables.item('reporting', `ORDER#${event.orderId}`, 'ROW');
    return row?.[`fact${event.seq}`] ? [] : [`the list of orders knows nothing of ${event.id}`];
  });
}

/** Every entry is in one export, as it stands in the journal. */
function wrongExports(journal: readonly Item[], bucket: Bucket): string[] {
  const wrong: string[] = [];
  const rows = [...bucket.objects.keys()].flatMap((key) => {
    const [, date] = /^exports\/([^/]+)\/manifest\.json$/.exec(key) ?? [];
    if (date === undefined) return [];
    const content = journalOf(bucket, date);
    if (!content) wrong.push(`the export of ${date} has not the journal that its manifest names`);
    return content?.toString().trim().split('\r\n').slice(1) ?? [];
  });
  const exported = Map.groupBy(rows, eventIdIn);
  for (const { eventId, postings } of journal) {
    const lines = exported.get(eventId);
    const stored = postings.map(({ account, debit, credit }: Item) => `${account},${debit},${credit}`).sort();
    const told = lines?.map((line) => line.split(',').slice(7, 10).join(',')).sort();
    if (!told) wrong.push(`${eventId} is in no export`);
    else if (told.join() !== stored.join()) wrong.push(`${eventId} is ${stored}, its export says ${told}`);
  }
  const known = new Set(journal.map(({ eventId }) => eventId));
  for (const id of exported.keys()) if (!known.has(id)) wrong.push(`${id} is exported and in no journal`);
  return wrong;
}

/** The journal of a finished export, if it is what its manifest says. */
function journalOf({ objects }: Bucket, date: string): Buffer | undefined {
  const { files } = JSON.parse(objects.get(`exports/${date}/manifest.json`)!.toString());
  const { sha256 } = files.find(({ name }: Item) => name === 'journal.csv');
  const content = objects.get(`exports/${date}/${sha256}/journal.csv`);
  return content && createHash('sha256').update(content).digest('hex') === sha256 ? content : undefined;
}

/** Columns of a row: entryId, businessDate, occurredAt, orderId, eventId, reference, kind, account, debit, credit. */
function eventIdIn(row: string): string {
  return row.split(',')[4] ?? row;
}

/** What still differs after the last reconciliation. */
function openDifferences(bucket: Bucket): string[] {
  const last = [...bucket.objects.keys()]
    .filter((key) => key.endsWith('/differences.json'))
    .sort()
    .at(-1);
  if (!last) return ['nothing was reconciled'];
  const { differences } = JSON.parse(bucket.objects.get(last)!.toString());
  return differences
    .filter(({ resolved }: Item) => resolved === undefined)
    .map(({ type, reference }: Item) => `${reference} differs from the provider’s book: ${type}`);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0);
}
