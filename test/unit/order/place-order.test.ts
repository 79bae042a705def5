import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { shippingFee } from '../../../functions/cart/domain/rates.ts';
import type { CartToOrder, Committed, Placement, Ports } from '../../../functions/order/app/place-order.ts';
import { placeOrder } from '../../../functions/order/app/place-order.ts';
import type { PlaceOrderBody } from '../../../functions/order/contract.ts';
import type { OrderEvent } from '../../../functions/order/domain/order.ts';
import { noon, shippingAddress, traceparent } from './given.ts';

/** A store in memory: one transaction at a time, conflicts by decree. */
class World {
  readonly stock = new Map<string, number[]>();
  readonly prices = new Map<string, number>();
  readonly carts = new Map<string, CartToOrder>();
  readonly placed = new Map<string, OrderEvent>();
  /** What the next commits do: `conflict` does nothing, `lost` takes effect and fails. */
  readonly script: ('conflict' | 'lost')[] = [];
  /** What others do between the hint and the commit. */
  readonly meanwhile: (() => void)[] = [];
  /** SKUs whose latch is closed, and those that a stale hint still takes, or already takes, for closed. */
  readonly latched = new Set<string>();
  readonly hintedSoldOut = new Set<string>();
  time = noon;
  commits = 0;
  counts = 0;

  with(sku: string, shards: number[], price = 10_000): this {
    this.stock.set(sku, shards);
    this.prices.set(sku, price);
    return this;
  }

  left(sku: string): number {
    return this.stock.get(sku)!.reduce((a, b) => a + b, 0);
  }

  readonly ports: Ports = {
    findPlaced: async (id) => this.placed.get(id),
    readCart: async (id) => this.carts.get(id),
    onSale: async (skus) => {
      const onSale = skus.filter((sku) => this.prices.has(sku));
      const priced = onSale.map((sku) => ({
        sku,
        productId: sku.replace('sku', 'prd'),
        name: sku,
        price: { amount: this.prices.get(sku)!, currency: 'KRW' as const },
        purchasable: true,
      }));
      return { prices: new Map(priced.map((one) => [one.sku, one])), drops: [] };
    },
    hintShards: async (skus) => {
      const hints = new Map(
        skus.map((sku) => {
          const soldOut = this.hintedSoldOut.has(sku);
          return [sku, { soldOut, shards: soldOut ? [] : this.shardsOf(sku) }];
        }),
      );
      this.meanwhile.shift()?.();
      return hints;
    },
    fallbackSlot: async () => undefined,
    readShards: async (skus) =>
      new Map(skus.map((sku) => [sku, { soldOut: this.latched.has(sku), shards: this.shardsOf(sku) }])),
    soldOutAmong: async (skus) => new Set(skus.filter((sku) => this.latched.has(sku))),
    snapshot: async (sku) => {
      this.counts++;
      return { shards: this.shardsOf(sku), soldOut: this.latched.has(sku), opened: 0 };
    },
    closeLatch: async (sku) => void this.latched.add(sku),
    heat: () => 0,
    consolidate: async (sku) => {
      const shards = this.stock.get(sku)!;
      this.stock.set(sku, [this.left(sku), ...shards.slice(1).map(() => 0)]);
    },
    commit: async (placement) => {
      this.commits++;
      const next = this.script.shift();
      if (next === 'conflict') {
        return { result: 'refused', dry: [], contended: placement.draws, cart: false, event: false };
      }
      const result = this.commit(placement);
      if (next === 'lost') throw new Error('the connection was lost');
      return result;
    },
    now: () => this.time,
    sleep: async (ms) => {
      this.time += ms;
    },
    random: () => 0.5,
  };

  private shardsOf(sku: string) {
    return (this.stock.get(sku) ?? []).map((available, shard) => ({ shard, available, rev: 0 }));
  }

  private commit({ event, draws, cart }: Placement): Committed {
    const exists = this.placed.get(event.orderId);
    if (exists) return { result: 'exists', event: exists };
    const stored = cart && this.carts.get(cart.cartId);
    const stale = cart !== undefined && (stored?.version !== cart.version || stored.orderId !== undefined);
    const dry = draws.flatMap(({ sku, shard, quantity }) => {
      const available = this.stock.get(sku)![shard]!;
      return available < quantity ? [{ sku, shard, available, rev: 1 }] : [];
    });
    if (dry.length > 0 || stale) return { result: 'refused', dry, contended: [], cart: stale, event: false };
    for (const { sku, shard, quantity } of draws) this.stock.get(sku)![shard]! -= quantity;
    if (stored)
      this.carts.set(stored.cartId, { ...stored, version: stored.version + 1, orderId: event.orderId });
    this.placed.set(event.orderId, event);
    return { result: 'placed' };
  }

  buy(
    lines: { sku: string; quantity: number }[],
    options: { key?: string; total?: number; customer?: string } = {},
  ) {
    const total = options.total ?? this.totalOf(lines);
    return this.order({ lines, ...body(total) }, options);
  }

  order(request: PlaceOrderBody, { key = 'key-1', customer = 'customer-1' } = {}) {
    return placeOrder(this.ports)({
      customerId: customer,
      idempotencyKey: key,
      body: request,
      locale: 'en',
      traceparent,
    });
  }

  /** Free shipping in KRW begins somewhere: ask the quote what it comes to. */
  totalOf(lines: { sku: string; quantity: number }[]): number {
    const goods = lines.reduce((sum, { sku, quantity }) => sum + (this.prices.get(sku) ?? 0) * quantity, 0);
    return goods + shippingFee('KRW', 'standard', goods);
  }
}

const body = (amount: number) => ({
  shippingAddress,
  shippingMethod: 'standard' as const,
  payment: { method: 'card' as const, token: 'tok_approve' },
  expectedTotal: { amount, currency: 'KRW' as const },
});

describe('placing an order', () => {
  it('takes the stock and answers the order', async () => {
    const world = new World().with('sku_a', [5]);
    const { order, replayed } = await world.buy([{ sku: 'sku_a', quantity: 2 }]);
    expect(replayed).toBe(false);
    expect(order).toMatchObject({ status: 'placed', payment: { status: 'pending' }, currency: 'KRW' });
    expect(world.left('sku_a')).toBe(3);
  });

  it('adds up lines that draw on the same SKU', async () => {
    const world = new World().with('sku_a', [3]);
    const twice = [
      { sku: 'sku_a', quantity: 2 },
      { sku: 'sku_a', quantity: 2 },
    ];
    await expect(world.buy(twice)).rejects.toMatchObject({
      code: 'out-of-stock',
      members: { skus: [{ sku: 'sku_a', requested: 4, available: 3 }] },
    });
    expect(world.left('sku_a')).toBe(3);
  });

  it('adds them up to more than one line may have', async () => {
    const world = new World().with('sku_a', [1_500], 100);
    const { order } = await world.buy([
      { sku: 'sku_a', quantity: 999 },
      { sku: 'sku_a', quantity: 300 },
    ]);
    expect(order.lines).toHaveLength(2);
    expect(world.left('sku_a')).toBe(201);
  });

  it('gathers a line that is larger than any shard', async () => {
    const world = new World().with('sku_a', [2, 2, 1]);
    await world.buy([{ sku: 'sku_a', quantity: 5 }]);
    expect(world.stock.get('sku_a')).toEqual([0, 0, 0]);
  });

  it('gathers over more shards than a transaction takes, by moving units together first', async () => {
    const world = new World().with('sku_a', Array(120).fill(1));
    await world.buy([{ sku: 'sku_a', quantity: 100 }]);
    expect(world.left('sku_a')).toBe(20);
  });

  it('takes all lines or none', async () => {
    const world = new World().with('sku_a', [5]).with('sku_b', [0]);
    const both = [
      { sku: 'sku_a', quantity: 1 },
      { sku: 'sku_b', quantity: 1 },
    ];
    await expect(world.buy(both)).rejects.toMatchObject({ code: 'out-of-stock' });
    expect(world.left('sku_a')).toBe(5);
  });

  it('finds units that came back after its hint had said that there are none', async () => {
    const world = new World().with('sku_a', [0, 0]);
    world.meanwhile.push(() => world.stock.set('sku_a', [0, 1]));
    await world.buy([{ sku: 'sku_a', quantity: 1 }]);
    expect(world.left('sku_a')).toBe(0);
  });

  it('says what is left when others were faster', async () => {
    const world = new World().with('sku_a', [1]);
    world.meanwhile.push(() => world.stock.set('sku_a', [0]));
    await expect(world.buy([{ sku: 'sku_a', quantity: 1 }])).rejects.toMatchObject({
      code: 'out-of-stock',
      members: { skus: [{ available: 0 }] },
    });
  });

  it('comes back after conflicts, and gives up with 503 only when they do not end', async () => {
    const world = new World().with('sku_a', [1]);
    world.script.push('conflict', 'conflict');
    await world.buy([{ sku: 'sku_a', quantity: 1 }]);
    const stuck = new World().with('sku_a', [1]);
    stuck.script.push(...Array<'conflict'>(10_000).fill('conflict'));
    await expect(stuck.buy([{ sku: 'sku_a', quantity: 1 }])).rejects.toMatchObject({
      code: 'temporary-reduced-capacity',
    });
    expect(stuck.left('sku_a')).toBe(1);
  });

  it('refuses a total that the shopper did not expect, with the new quote', async () => {
    const world = new World().with('sku_a', [1]);
    await expect(world.buy([{ sku: 'sku_a', quantity: 1 }], { total: 1 })).rejects.toMatchObject({
      code: 'price-changed',
      members: { quote: { total: { currency: 'KRW' } } },
    });
  });

  it('refuses what is not sold here, and too many lines', async () => {
    const world = new World().with('sku_a', [1]);
    await expect(world.buy([{ sku: 'sku_x', quantity: 1 }])).rejects.toMatchObject({
      code: 'validation-failed',
    });
    const many = Array.from({ length: 51 }, (_, index) => ({ sku: `sku_${index}`, quantity: 1 }));
    await expect(world.buy(many)).rejects.toMatchObject({ code: 'too-many-lines' });
  });
});

describe('placing an order from a cart', () => {
  const cart = { cartId: 'crt_1', version: 3, lines: [{ sku: 'sku_a', quantity: 1 }] };

  it('closes the cart; ordering it again with another key names the order', async () => {
    const world = new World().with('sku_a', [5]);
    world.carts.set('crt_1', cart);
    const { order } = await world.order({ cartId: 'crt_1', ...body(world.totalOf(cart.lines)) });
    await expect(
      world.order({ cartId: 'crt_1', ...body(world.totalOf(cart.lines)) }, { key: 'key-2' }),
    ).rejects.toMatchObject({ code: 'cart-closed', members: { orderId: order.id } });
    expect(world.left('sku_a')).toBe(4);
  });

  it('orders what the cart holds at the moment of the transaction', async () => {
    const world = new World().with('sku_a', [5]);
    world.carts.set('crt_1', cart);
    world.meanwhile.push(() =>
      world.carts.set('crt_1', { ...cart, version: 4, lines: [{ sku: 'sku_a', quantity: 2 }] }),
    );
    await expect(world.order({ cartId: 'crt_1', ...body(world.totalOf(cart.lines)) })).rejects.toMatchObject({
      code: 'price-changed',
    });
    expect(world.left('sku_a')).toBe(5);
  });

  it('refuses an empty cart and one that is not there', async () => {
    const world = new World();
    world.carts.set('crt_1', { ...cart, lines: [] });
    await expect(world.order({ cartId: 'crt_1', ...body(1) })).rejects.toMatchObject({ code: 'cart-empty' });
    await expect(world.order({ cartId: 'crt_2', ...body(1) })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('repeating an order', () => {
  const one = [{ sku: 'sku_a', quantity: 1 }];

  it('answers the same order and takes nothing more', async () => {
    const world = new World().with('sku_a', [5]);
    const first = await world.buy(one);
    const again = await world.buy(one);
    expect(again).toEqual({ order: first.order, replayed: true });
    expect(world.left('sku_a')).toBe(4);
  });

  it('is a replay before it is any refusal: the last unit, a changed price, a closed cart', async () => {
    const world = new World().with('sku_a', [1]);
    world.script.push('lost');
    await expect(world.buy(one)).rejects.toThrow('the connection was lost');
    const total = world.totalOf(one);
    expect((await world.buy(one)).replayed).toBe(true);
    world.prices.set('sku_a', 99);
    expect((await world.buy(one, { total })).replayed).toBe(true);
    world.prices.delete('sku_a');
    expect((await world.buy(one, { total })).replayed).toBe(true);

    const other = new World().with('sku_a', [1]);
    other.carts.set('crt_1', { cartId: 'crt_1', version: 1, lines: one });
    const request = { cartId: 'crt_1', ...body(total) };
    await other.order(request);
    expect((await other.order(request)).replayed).toBe(true);
  });

  it('refuses the key with another body, also when that body would be refused by itself', async () => {
    const world = new World().with('sku_a', [2]);
    await world.buy(one);
    for (const quantity of [2, 900]) {
      await expect(world.buy([{ sku: 'sku_a', quantity }])).rejects.toMatchObject({
        code: 'idempotency-key-reused',
      });
    }
  });

  it('evaluates a refusal anew', async () => {
    const world = new World().with('sku_a', [0]);
    await expect(world.buy(one)).rejects.toMatchObject({ code: 'out-of-stock' });
    world.stock.set('sku_a', [1]);
    expect((await world.buy(one)).replayed).toBe(false);
  });

  it("does not meet another customer's order under the same key", async () => {
    const world = new World().with('sku_a', [5]);
    const mine = await world.buy(one, { customer: 'customer-1' });
    const theirs = await world.buy(one, { customer: 'customer-2' });
    expect(theirs.order.id).not.toBe(mine.order.id);
  });
});

describe('the sold-out latch', () => {
  const one = [{ sku: 'sku_a', quantity: 1 }];

  it('closes when a count finds nothing; from then on nobody counts or writes', async () => {
    const world = new World().with('sku_a', [0, 0]);
    await expect(world.buy(one)).rejects.toMatchObject({ code: 'out-of-stock' });
    expect(world.latched).toEqual(new Set(['sku_a']));
    world.hintedSoldOut.add('sku_a');
    const counted = world.counts;
    await expect(world.buy(one, { key: 'key-2' })).rejects.toMatchObject({
      code: 'out-of-stock',
      members: { skus: [{ sku: 'sku_a', requested: 1, available: 0 }] },
    });
    expect(world).toMatchObject({ counts: counted, commits: 0 });
  });

  it('does not close while a unit is left that is too few for this shopper', async () => {
    const world = new World().with('sku_a', [1]);
    await expect(world.buy([{ sku: 'sku_a', quantity: 2 }])).rejects.toMatchObject({ code: 'out-of-stock' });
    expect(world.latched.size).toBe(0);
  });

  it('is asked again before anybody is refused: a hint may be older than a release', async () => {
    const world = new World().with('sku_a', [1]);
    world.hintedSoldOut.add('sku_a');
    await world.buy(one);
    expect(world.left('sku_a')).toBe(0);
  });

  it('does not refuse a replay', async () => {
    const world = new World().with('sku_a', [1]);
    const { order } = await world.buy(one);
    world.latched.add('sku_a');
    world.hintedSoldOut.add('sku_a');
    expect(await world.buy(one)).toEqual({ order, replayed: true });
  });
});

it('never sells more than there is, and refuses only who cannot be served', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 12 }),
      async (shards, wishes) => {
        const world = new World().with('sku_a', [...shards]);
        for (const [index, quantity] of wishes.entries()) {
          const before = world.left('sku_a');
          const result = await world
            .buy([{ sku: 'sku_a', quantity }], { key: `k${index}` })
            .catch((e) => e.code);
          expect(world.left('sku_a')).toBe(result === 'out-of-stock' ? before : before - quantity);
          if (result === 'out-of-stock') expect(before).toBeLessThan(quantity);
        }
        expect(Math.min(...world.stock.get('sku_a')!)).toBeGreaterThanOrEqual(0);
      },
    ),
  );
});
