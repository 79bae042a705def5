import { Chance } from './chance.ts';
import type { Weather } from './scheduler.ts';

/** What one shopper does. Milliseconds are counted from the beginning. */
export interface Shopper {
  readonly name: string;
  readonly at: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  /** Orders by way of a cart. */
  readonly cart: boolean;
  readonly card: string;
  /** With the order, afterwards by card, or in the browser. */
  readonly pays: 'with-order' | 'afterwards' | 'browser' | 'never';
  /** What a card with 3-D Secure gets of them at the bank's page. */
  readonly deed: 'confirm' | 'fail' | 'nothing';
  /** Sends the order twice at once; of a cart, from two tabs with a key each. */
  readonly doubles: boolean;
  /** Sends the order again later, when it has long been answered. */
  readonly sendsAgain: boolean;
  /** Milliseconds after the order at which they cancel it. */
  readonly cancelsAfter?: number | undefined;
}

/** What an operator does. */
export type Deed = { readonly name: string; readonly at: number } & (
  | { readonly does: 'price'; readonly sku: string; readonly amount: number }
  | { readonly does: 'withdraw'; readonly sku: string }
  | { readonly does: 'adjust'; readonly sku: string; readonly by: number }
  | { readonly does: 'set'; readonly sku: string; readonly to: number }
  | { readonly does: 'shards'; readonly sku: string; readonly count: number }
  | { readonly does: 'close' }
  | { readonly does: 'refund'; readonly of: string; readonly amount?: number | undefined }
);

/** Times in milliseconds from the beginning. */
export interface DropPlan {
  readonly sku: string;
  readonly opensAfter: number;
  readonly closesAfter: number;
  readonly limit: number;
  /** Admissions a second, and orders a second while nobody conducts. */
  readonly rate: number;
  readonly fallbackPerSecond: number;
  /** The minutes in which the conductor runs. */
  readonly conducted: readonly number[];
}

/** All that a seed stands for, as data: a failure is made smaller by leaving parts of it out. */
export interface Plan {
  readonly seed: number;
  /** Where the day begins, in milliseconds since the epoch. */
  readonly start: number;
  readonly goods: readonly {
    readonly sku: string;
    readonly price: number;
    readonly units: readonly number[];
  }[];
  readonly shoppers: readonly Shopper[];
  readonly deeds: readonly Deed[];
  /** A drop of the first SKU, open for some minutes. */
  readonly drop?: DropPlan | undefined;
  readonly weather: Weather;
  /** Mishaps of these names do not happen. */
  readonly spared: ReadonlySet<string>;
  /** How often an event comes twice, is lost before the bus, or takes minutes. */
  readonly bus: { readonly twice: number; readonly lost: number; readonly slow: number };
  /** In how many environments orders are placed. */
  readonly environments: number;
  /** Whether the clocks of processes differ. */
  readonly skewed: boolean;
  /** Milliseconds for which reads that may be behind are behind at most. */
  readonly lag: number;
}

const minute = 60_000;

const cards = [
  'tok_approve',
  'tok_approve',
  'tok_approve',
  'tok_decline',
  'tok_capture_fails_once',
  'tok_capture_fails',
  'tok_timeout_then_approved',
  'tok_timeout_then_declined',
  'tok_requires_action',
];

/** Noon, shortly before a business date ends in Seoul, and shortly before a day ends for the provider. */
const starts = ['2026-11-22T03:00:00Z', '2026-11-22T14:50:00Z', '2026-11-22T23:50:00Z'];

/** Kinds of mishaps with how often they befall a step at most. Each seed has some of them. */
const mishaps: Weather = {
  lost: 0.04,
  unanswered: 0.05,
  repeated: 0.04,
  'repeated-later': 0.03,
  late: 0.02,
  throttled: 0.03,
  partly: 0.05,
  'ends-before': 0.015,
  'ends-after': 0.02,
  conflict: 0.5,
  delayed: 0.1,
};

/** The plan of a seed. */
export function planOf(seed: number): Plan {
  const chance = new Chance(seed);
  const goods = Array.from({ length: chance.whole('skus', 1, 2) }, (_, index) => ({
    sku: `sku_${'AB'[index]}`,
    price: 1_000 * (index + 1),
    units: Array.from({ length: chance.whole(`shards ${index}`, 1, 3) }, (_unit, shard) =>
      chance.whole(`units ${index} ${shard}`, 0, 5),
    ),
  }));
  const skus = goods.map(({ sku }) => sku);
  const drop = chance.happens('drop', 0.25) ? dropOf(chance, skus[0]!) : undefined;
  const crowd = chance.whole('shoppers', 3, 9) + (drop ? chance.whole('crowd', 0, 6) : 0);
  const shoppers = Array.from({ length: crowd }, (_, index) =>
    shopperOf(chance, `shopper-${index + 1}`, skus),
  );
  const deeds = Array.from({ length: chance.whole('deeds', 0, 6) }, (_, index) =>
    deedOf(chance, `deed-${index + 1}`, skus, shoppers),
  );
  // Half of the seeds have a kind of mishap, and a fifth have none at all.
  const fine = chance.happens('fine', 0.2);
  const weather = Object.entries(mishaps)
    .filter(([kind]) => !fine && chance.happens(`has ${kind}`, 0.5))
    .map(([kind, most]) => [kind, most * chance.of(`how much ${kind}`)]);
  return {
    seed,
    start: Date.parse(chance.pick('start', starts)),
    goods,
    shoppers,
    deeds: [...deeds, ...(drop ? deedsAround(chance, drop) : [])],
    ...(drop && { drop }),
    weather: Object.fromEntries(weather),
    spared: new Set(),
    bus: {
      twice: chance.pick('twice', [0, 0.1, 0.4]),
      lost: chance.pick('lost', [0, 0, 0.05, 0.2]),
      slow: chance.pick('slow', [0, 0.1, 0.4]),
    },
    environments: chance.whole('environments', 1, 2),
    skewed: chance.happens('skewed', 0.4),
    lag: chance.pick('lag', [0, 500, 30_000]),
  };
}

function shopperOf(chance: Chance, name: string, skus: readonly string[]): Shopper {
  const ask = (what: string) => `${name} ${what}`;
  const first = chance.pick(ask('sku'), skus);
  const lines = [{ sku: first, quantity: chance.whole(ask('quantity'), 1, 3) }];
  const other = skus.find((sku) => sku !== first);
  if (other && chance.happens(ask('two lines'), 0.3)) lines.push({ sku: other, quantity: 1 });
  const rush = chance.happens('rush', 0.6);
  return {
    name,
    at: rush ? chance.whole(ask('at'), 0, 60) : chance.whole(ask('at'), 0, 20 * minute),
    lines,
    cart: chance.happens(ask('cart'), 0.3),
    card: chance.pick(ask('card'), cards),
    pays: chance.pick(ask('pays'), ['with-order', 'with-order', 'afterwards', 'browser', 'never'] as const),
    deed: chance.pick(ask('deed'), ['confirm', 'fail', 'nothing'] as const),
    doubles: chance.happens(ask('doubles'), 0.25),
    sendsAgain: chance.happens(ask('sends again'), 0.4),
    cancelsAfter: chance.happens(ask('cancels'), 0.3)
      ? chance.pick(ask('cancels after'), [10, 200, 3_000, 5 * minute, 16 * minute])
      : undefined,
  };
}

function dropOf(chance: Chance, sku: string): DropPlan {
  return {
    sku,
    opensAfter: 5_000,
    closesAfter: chance.pick('drop closes', [2 * minute, 8 * minute]),
    limit: chance.whole('drop limit', 1, 3),
    rate: chance.pick('drop rate', [0.2, 1, 3]),
    fallbackPerSecond: chance.whole('drop fallback', 1, 2),
    conducted: chance.pick('drop conducted', [[0, 1, 2], [0], [1, 2], []]),
  };
}

/** Operators who would change what stands still: while most are admitted, and as soon as the drop has been closed. */
function deedsAround(chance: Chance, { sku, opensAfter }: DropPlan): Deed[] {
  const price = (name: string, at: number): Deed => {
    return { name, at, does: 'price', sku, amount: chance.pick(`${name} amount`, [700, 1_700, 2_700]) };
  };
  const within = Array.from({ length: chance.whole('reprices in the drop', 0, 6) }, (_, index) => {
    const name = `in-the-drop-${index + 1}`;
    return price(name, opensAfter + chance.whole(`${name} at`, 6_000, 20_000));
  });
  if (!chance.happens('closes the drop', 0.4)) return within;
  const at = opensAfter + chance.whole('closes the drop at', 8_000, 60_000);
  const after = [1, 2, 3].map((number) => {
    const name = `after-the-drop-${number}`;
    return price(name, at + chance.whole(`${name} at`, 50, 3_000));
  });
  return [...within, { name: 'close-the-drop', at, does: 'close' }, ...after];
}

function deedOf(chance: Chance, name: string, skus: readonly string[], shoppers: readonly Shopper[]): Deed {
  const ask = (what: string) => `${name} ${what}`;
  const sku = chance.pick(ask('sku'), skus);
  const at = chance.happens(ask('rush'), 0.5)
    ? chance.whole(ask('at'), 0, 100)
    : chance.whole(ask('at'), 0, 25 * minute);
  switch (chance.pick(ask('does'), ['price', 'withdraw', 'adjust', 'set', 'shards', 'refund', 'refund'])) {
    case 'price':
      return { name, at, does: 'price', sku, amount: chance.pick(ask('amount'), [500, 1_500, 2_500]) };
    case 'withdraw':
      return { name, at, does: 'withdraw', sku };
    case 'adjust':
      return { name, at, does: 'adjust', sku, by: chance.whole(ask('by'), 1, 5) - 3 || 2 };
    case 'set':
      return { name, at, does: 'set', sku, to: chance.whole(ask('to'), 0, 6) };
    case 'shards':
      return { name, at, does: 'shards', sku, count: chance.whole(ask('count'), 2, 4) };
    default: {
      const amount = chance.pick(ask('amount'), [undefined, 500, 1_000]);
      const later = at + chance.whole(ask('later'), 0, 10 * minute);
      return { name, at: later, does: 'refund', of: chance.pick(ask('of'), shoppers).name, amount };
    }
  }
}
