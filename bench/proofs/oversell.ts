import { charges, type Line, left, openStore, order, sell, settled, totalOf } from '../store.ts';

export interface OversellCase {
  readonly name: string;
  readonly shoppers: number;
  readonly stock: number;
  readonly shards: number;
  /** What each shopper wants of the one SKU. */
  readonly quantities: readonly number[];
}

export interface OversellFigures {
  readonly case: OversellCase;
  readonly unitsSold: number;
  readonly accepted: number;
  readonly outOfStock: number;
  readonly other: Readonly<Record<string, number>>;
  /** Orders whose payment is captured, and what they come to in minor units. */
  readonly captured: number;
  readonly capturedAmount: number;
  /** The provider's own book: charges captured, and holds that nobody gave up. */
  readonly charged: number;
  readonly chargedAmount: number;
  readonly holdsLeft: number;
  readonly stockLeft: number;
}

/** Each ends with exactly `stock` units sold, whoever gets them. */
export const oversellCases: readonly OversellCase[] = [
  { name: 'one shard', shoppers: 200, stock: 50, shards: 1, quantities: [1] },
  { name: 'eight shards', shoppers: 200, stock: 50, shards: 8, quantities: [1] },
  { name: 'two lines on one SKU', shoppers: 200, stock: 50, shards: 8, quantities: [1, 1] },
  { name: 'lines larger than a shard', shoppers: 200, stock: 50, shards: 8, quantities: [10] },
  // Nobody may be turned away: a false "sold out" would show here.
  { name: 'a unit for everybody, one shard', shoppers: 50, stock: 50, shards: 1, quantities: [1] },
  { name: 'a unit for everybody, eight shards', shoppers: 50, stock: 50, shards: 8, quantities: [1] },
];

/**
 * All shoppers at once, with transactions in conflict as on AWS: how many units were sold, what everybody was
 * answered, and whether the provider's book and the stock agree.
 */
export async function oversell(one: OversellCase, contentionMs = 5): Promise<OversellFigures> {
  // Several environments, so that they conflict with each other as they do on AWS.
  const store = await openStore({ environments: 4 });
  try {
    const goods = await sell(store, { stock: one.stock, shards: one.shards });
    const lines: Line[] = one.quantities.map((quantity) => ({ sku: goods.sku, quantity }));
    const total = await totalOf(store, lines);
    const shoppers = await Promise.all(Array.from({ length: one.shoppers }, () => store.account()));
    store.cloud.setContention(contentionMs);
    const answers = await Promise.all(shoppers.map(({ token }) => order(store, { token, lines, total })));

    const accepted = answers.flatMap(({ status, body }, index) =>
      status === 201 ? [{ id: body.id as string, token: shoppers[index]!.token }] : [],
    );
    const paid = await Promise.all(
      accepted.map(({ id, token }) => settled(store, token, id, { payment: 'captured' }, 120_000)),
    );
    const refusals = answers.filter(({ status }) => status !== 201);
    const outOfStock = refusals.filter(
      ({ status, body }) => status === 409 && body.type.endsWith('/out-of-stock'),
    );
    const book = await charges(store);
    const captured = book.filter(({ status }) => status === 'captured');
    return {
      case: one,
      unitsSold: accepted.length * one.quantities.reduce((a, b) => a + b, 0),
      accepted: accepted.length,
      outOfStock: outOfStock.length,
      other: tally(
        refusals.filter((answer) => !outOfStock.includes(answer)).map(({ status }) => String(status)),
      ),
      captured: paid.length,
      capturedAmount: sumOf(paid.map(({ payment }) => payment.amountCaptured.amount)),
      charged: captured.length,
      chargedAmount: sumOf(captured.map(({ amount }) => amount.amount)),
      holdsLeft: book.filter(({ status }) => status === 'authorized').length,
      stockLeft: await left(store, goods.sku),
    };
  } finally {
    await store.stop();
  }
}

function tally(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function sumOf(amounts: readonly number[]): number {
  return amounts.reduce((sum, amount) => sum + amount, 0);
}
