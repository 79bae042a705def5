import type { Check } from './ground.ts';

/*
 * The criteria of the benchmark "Online Marketplace" (Laigner et al., Proceedings of the ACM on Management of Data 3(1),
 * 2025, https://doi.org/10.1145/3709653), on what shoppers and operators of a run have seen. Moments are milliseconds on
 * one clock, that of whoever sends the load: a request is under way from `from` until `until`.
 */

interface Interval {
  readonly from: number;
  readonly until: number;
}

/** A price that an operator set, and was told so. The first of a SKU is that at its creation. */
export interface PriceWrite extends Interval {
  readonly sku: string;
  readonly price: number;
}

/** A price that a shopper was shown in a cart, or bought at. */
export interface PriceRead extends Interval {
  readonly sku: string;
  readonly price: number;
  /** Reads of one shopper's visit follow on each other. */
  readonly session: number;
}

interface Units {
  readonly sku: string;
  readonly quantity: number;
}

/** A cart that was ordered. */
export interface Checkout extends Interval {
  readonly asked: readonly Units[];
  /** The order's lines when it was accepted. */
  readonly placed: readonly Units[] | undefined;
}

/** A product that was taken off sale, another having taken its place. */
export interface Replacement extends Interval {
  readonly sku: string;
}

/** An order's history, and a shopper's list of orders, as they were read. */
export interface History {
  readonly orderId: string;
  readonly events: readonly { readonly seq: number; readonly type: string; readonly at: string }[];
}

/** An entry of the dashboard, and the order itself, read after it. */
export interface DashboardEntry {
  readonly orderId: string;
  readonly status: string;
  readonly total: number;
  /** The newest event that the entry knows of. */
  readonly seq: number;
  readonly order: { readonly total: number; readonly events: readonly { seq: number; type: string }[] };
}

export interface Observations {
  readonly writes: PriceWrite[];
  readonly reads: PriceRead[];
  readonly checkouts: Checkout[];
  readonly replacements: Replacement[];
  readonly histories: History[];
  readonly dashboard: DashboardEntry[];
  /** Sums of the dashboard once all had come to rest, and of the orders themselves. */
  readonly sums: { dashboard: Sums; orders: Sums } | undefined;
}

/** By status: how many orders, and what they come to in minor units. */
export type Sums = Readonly<Record<string, { readonly orders: number; readonly total: number }>>;

export function criteriaOf(seen: Observations): Check[] {
  return [
    check('all-or-nothing checkout', seen.checkouts.length, partialCheckouts(seen)),
    check('cart prices follow price updates causally', seen.reads.length, inconsistentPrices(seen)),
    check('no sale of a replaced product', seen.replacements.length, salesOfReplaced(seen)),
    check('history in order', seen.histories.length, disorderedHistories(seen)),
    check('dashboard equal to its entries', seen.dashboard.length, wrongDashboard(seen)),
  ];
}

function check(name: string, looked: number, wrong: readonly string[]): Check {
  const [first] = wrong;
  return {
    name,
    // A run in which nothing of the kind came to pass shows nothing.
    holds: looked === 0 && wrong.length === 0 ? undefined : wrong.length === 0,
    detail: `${looked} looked at, ${wrong.length} wrong${first ? `; ${first}` : ''}`,
  };
}

/** Orders that hold some lines of their cart, or other ones. */
export function partialCheckouts({ checkouts }: Pick<Observations, 'checkouts'>): string[] {
  const shown = (units: readonly Units[]) =>
    [...units]
      .sort((a, b) => (a.sku < b.sku ? -1 : 1))
      .map(({ sku, quantity }) => `${quantity} ${sku}`)
      .join(', ');
  return checkouts
    .filter(({ asked, placed }) => placed && shown(placed) !== shown(asked))
    .map(({ asked, placed }) => `asked ${shown(asked)}, placed ${shown(placed!)}`);
}

/**
 * Prices that were never set, that a later one had replaced before the read began, or that are older than one that the same
 * visit has seen before.
 */
export function inconsistentPrices({ writes, reads }: Pick<Observations, 'writes' | 'reads'>): string[] {
  const bySku = Map.groupBy(writes, ({ sku }) => sku);
  const wrong: string[] = [];
  for (const read of reads) {
    const history = bySku.get(read.sku) ?? [];
    const candidates = history.filter(({ price, from }) => price === read.price && from <= read.until);
    const current = candidates.some((write) => !replacedBefore(write, history, read.from));
    if (!current) wrong.push(`${read.sku} at ${read.price} although it was not its price then`);
  }
  for (const visit of Map.groupBy(reads, ({ session }) => session).values()) {
    const seen = new Map<string, PriceRead>();
    for (const read of [...visit].sort((a, b) => a.from - b.from)) {
      const before = seen.get(read.sku);
      seen.set(read.sku, read);
      if (!before || before.price === read.price) continue;
      const history = bySku.get(read.sku) ?? [];
      const newest = (price: number) =>
        Math.max(...history.filter((one) => one.price === price).map(({ until }) => until));
      const oldest = (price: number) =>
        Math.min(...history.filter((one) => one.price === price).map(({ from }) => from));
      if (newest(read.price) < oldest(before.price))
        wrong.push(`${read.sku} went back to ${read.price} within a visit`);
    }
  }
  return wrong;
}

/** Whether another price was set after this one, and told of before `moment`. */
function replacedBefore(write: PriceWrite, history: readonly PriceWrite[], moment: number): boolean {
  return history.some((other) => other !== write && other.from >= write.until && other.until < moment);
}

/** Orders that were accepted for a product whose replacement had been told of before they were sent. */
export function salesOfReplaced({
  checkouts,
  replacements,
}: Pick<Observations, 'checkouts' | 'replacements'>): string[] {
  const gone = new Map(replacements.map(({ sku, until }) => [sku, until]));
  return checkouts.flatMap(({ placed, from }) =>
    (placed ?? [])
      .filter(({ sku }) => (gone.get(sku) ?? Number.POSITIVE_INFINITY) < from)
      .map(({ sku }) => `${sku} was sold after it had been replaced`),
  );
}

/** What may come directly or later after what. */
const ranks: Readonly<Record<string, number>> = {
  'order.placed': 0,
  'capture.requested': 1,
  'payment.captured': 2,
  'order.fulfilled': 3,
  'order.delivered': 4,
};

/** Histories with a gap, a step back in time, or steps in an order that cannot be. */
export function disorderedHistories({ histories }: Pick<Observations, 'histories'>): string[] {
  return histories.flatMap(({ orderId, events }) => {
    const gap = events.some(({ seq }, index) => seq !== index + 1);
    const back = events.some(
      ({ at }, index) => index > 0 && Date.parse(at) < Date.parse(events[index - 1]!.at),
    );
    const steps = events.map(({ type }) => ranks[type]).filter((rank) => rank !== undefined);
    const mixed = steps.some((rank, index) => index > 0 && rank <= steps[index - 1]!);
    const why = [
      gap && 'has a gap',
      back && 'goes back in time',
      mixed && 'has its steps in disorder',
    ].filter(Boolean);
    return why.length > 0 ? [`${orderId} ${why.join(' and ')}`] : [];
  });
}

const statusAfter: Readonly<Record<string, string>> = {
  'order.placed': 'placed',
  'payment.captured': 'paid',
  'order.fulfilled': 'fulfilled',
  'order.delivered': 'delivered',
  'order.cancelled': 'cancelled',
  'order.expired': 'expired',
};

/** Entries that are not what the order's events up to the entry's say; sums that are not those of the orders. */
export function wrongDashboard({ dashboard, sums }: Pick<Observations, 'dashboard' | 'sums'>): string[] {
  const wrong = dashboard.flatMap(({ orderId, status, total, seq, order }) => {
    const told = order.events.filter((event) => event.seq <= seq);
    const expected = told.map(({ type }) => statusAfter[type]).findLast((after) => after !== undefined);
    if (told.at(-1)?.seq !== seq) return [`${orderId} knows of an event that there is not`];
    if (expected !== status) return [`${orderId} is listed as ${status} and was ${expected}`];
    return total === order.total ? [] : [`${orderId} is listed with another total`];
  });
  if (!sums) return wrong;
  const statuses = new Set([...Object.keys(sums.dashboard), ...Object.keys(sums.orders)]);
  for (const status of statuses) {
    const [listed, actual] = [sums.dashboard[status], sums.orders[status]];
    if (listed?.orders === actual?.orders && listed?.total === actual?.total) continue;
    wrong.push(`${listed?.orders ?? 0} listed as ${status}, ${actual?.orders ?? 0} are`);
  }
  return wrong;
}
