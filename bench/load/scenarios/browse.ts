import { type Goods, sell, totalOf } from '../../store.ts';
import { openLoop, poisson } from '../arrivals.ts';
import type { Ground, Scenario } from '../ground.ts';
import { checkInvariants } from '../invariants.ts';
import { between, ranks } from '../random.ts';

const products = 20;
const unitsEach = 1_000_000;
/** The part of those who look around that puts something into a cart; and of those, that buys it. */
const fills = 0.15;
const buys = 0.5;

/** Shoppers who look around: a list, some products, now and then a cart, less often an order. */
export const browse: Scenario = async (ground) => {
  const { client, options, random } = ground;
  const goods: Goods[] = [];
  for (let number = 0; number < products; number++) {
    goods.push(await sell(client, { name: `Celadon cup no. ${number}`, stock: unitsEach }));
  }
  const total = await totalOf(client, [{ sku: goods[0]!.sku, quantity: 1 }]);
  const arrivals = poisson([{ seconds: options.seconds, rate: options.rate }], random);
  const tokens = await ground.shoppers(Math.min(arrivals.length, 1_000));
  const choose = ranks(random, goods.length, options.distribution);

  const shopper = async (index: number, due: number): Promise<void> => {
    await ground.send('GET /v1/products', `/v1/products?category=housewares&limit=20`, { due });
    let next = due;
    let last = goods[0]!;
    for (let looks = between(random, 1, 4); looks > 0; looks--) {
      last = goods[choose()]!;
      next = await after(ground);
      await ground.send('GET /v1/products/{productId}', `/v1/products/${last.productId}`, { due: next });
    }
    if (random() >= fills) return;
    const token = tokens[index % tokens.length]!;
    const lines = [{ sku: last.sku, quantity: 1 }];
    next = await after(ground);
    const cart = await ground.send('POST /v1/carts', '/v1/carts?country=KW', {
      token,
      json: { lines },
      due: next,
    });
    if (cart.status !== 201 || random() >= buys) return;
    next = await after(ground);
    await ground.buy(token, { lines, cartId: JSON.parse(cart.body).id }, total, next);
  };

  return {
    run: () => openLoop(ground.clock, arrivals, shopper),
    conclude: async () => {
      const before = new Map(goods.map(({ sku }) => [sku, unitsEach]));
      const { checks } = await checkInvariants(ground, before);
      const { recorder } = ground;
      return {
        figures: { shoppers: arrivals.length },
        checks: [
          ...checks,
          {
            name: 'no answer is a fault of the store',
            holds: recorder.total('failed') === 0,
            detail: `${recorder.total('failed')} failed, ${recorder.total('shed')} shed`,
          },
        ],
      };
    },
  };
};

/** A shopper thinks for one to three seconds; what is sent then is due at that moment. */
async function after({ clock, random }: Ground): Promise<number> {
  const due = clock.now() + 1_000 + random() * 2_000;
  await clock.until(due);
  return due;
}
