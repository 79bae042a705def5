import { randomUUID } from 'node:crypto';
import { address, moveClockTo, timeOf } from '../../../bench/store.ts';
import type * as account from '../../../functions/account/contract.ts';
import type * as admission from '../../../functions/admission/contract.ts';
import type * as cart from '../../../functions/cart/contract.ts';
import type * as catalog from '../../../functions/catalog/contract.ts';
import type * as finance from '../../../functions/finance/contract.ts';
import type * as health from '../../../functions/health/contract.ts';
import type * as inventory from '../../../functions/inventory/contract.ts';
import type { Route } from '../../../functions/kernel/contract.ts';
import type * as order from '../../../functions/order/contract.ts';
import type * as reporting from '../../../functions/reporting/contract.ts';
import type { Account, Scene } from './scene.ts';
import { signedWebhook } from './webhooks.ts';

/** A request that a route takes, as far as it is the route's own. */
export interface Sample {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `body` where the route takes a raw one. */
  readonly file?: { readonly type: string; readonly text: string };
}

interface Row {
  /** The request is about something that belongs to a shopper; nobody else may learn that it is there. */
  readonly owned?: true;
  /** It ends the caller's session: every request is to come from an account of its own. */
  readonly ends?: true;
  /** The first must succeed. @param owner whose the things are to be; of an unowned cart it is a guest's */
  readonly samples: (scene: Scene, owner?: Account) => Promise<readonly [Sample, ...Sample[]]>;
}

type IdsOf<Contract> = {
  [Name in keyof Contract]: Contract[Name] extends Route ? Contract[Name]['id'] : never;
}[keyof Contract];

/** Every route but the one for what no route takes. */
export type RouteId = Exclude<
  IdsOf<
    typeof account &
      typeof admission &
      typeof cart &
      typeof catalog &
      typeof finance &
      typeof health &
      typeof inventory &
      typeof order &
      typeof reporting
  >,
  'notFound'
>;

const product = {
  name: 'Moon jar',
  description: 'White porcelain.',
  category: 'housewares',
  style: 'kitchen',
  variants: [{ attributes: { size: 'large' }, price: { amount: 24_900, currency: 'USD' } }],
};

export const rows: Readonly<Record<RouteId, Row>> = {
  getHealth: { samples: async () => [{}] },
  getOpenApi: { samples: async () => [{}] },

  signOut: {
    ends: true,
    samples: async () => [{ body: { refreshToken: randomUUID() } }, { body: { everywhere: true } }],
  },

  listProducts: {
    samples: async ({ store }) => {
      const { body } = await store.request('GET', '/v1/products?limit=1');
      return [
        { query: { category: 'housewares', sort: 'price', limit: '2' } },
        { query: { q: 'celadon', inStock: 'true' } },
        { query: { limit: '1', ...(body.next && { cursor: body.next }) } },
      ];
    },
  },
  getProduct: { samples: async ({ goods }) => [{ params: { productId: goods.productId } }] },
  listCategories: { samples: async () => [{}, { query: { channel: 'voice' } }] },
  createProduct: { samples: async () => [{ body: product }] },
  changeProduct: {
    samples: async (scene) => {
      const { productId: id } = await scene.freshGoods();
      return [{ params: { productId: id }, body: { style: 'tea', image: null } }];
    },
  },
  importProducts: {
    samples: async () => {
      const id = randomUUID();
      const csv = `id,name,description,category,style,price\n${id},Tea bowl,Plain,housewares,kitchen,5.00\n`;
      const yaml = `- id: ${id}\n  name: Tea bowl\n  category: housewares\n  style: kitchen\n  price: 5.00\n`;
      return [{ file: { type: 'text/csv', text: csv } }, { file: { type: 'application/yaml', text: yaml } }];
    },
  },

  getStock: { samples: async ({ goods }) => [{ params: { sku: goods.sku } }] },
  setStock: {
    samples: async (scene) => {
      const { sku } = await scene.freshGoods();
      return [
        { params: { sku }, body: { adjust: 1, reason: 'found one' } },
        { params: { sku }, body: { available: 1_000 } },
      ];
    },
  },
  setShards: {
    samples: async (scene) => {
      const { sku } = await scene.freshGoods();
      return [{ params: { sku }, body: { count: 2 } }];
    },
  },
  importStock: {
    samples: async ({ goods }) => [
      { file: { type: 'text/csv', text: `sku,available\n${goods.sku},5\n` } },
      { file: { type: 'application/yaml', text: `- sku: ${goods.sku}\n  available: 5\n` } },
    ],
  },

  createCart: {
    samples: async ({ goods }) => [
      {
        query: { country: 'KR' },
        body: { currency: 'USD', country: 'US', lines: [{ sku: goods.sku, quantity: 1 }] },
      },
    ],
  },
  getCart: {
    owned: true,
    samples: async (scene, owner) => [
      { params: { cartId: await scene.cart(owner) }, query: { shippingMethod: 'express' } },
    ],
  },
  putCartLine: {
    owned: true,
    samples: async (scene, owner) => [
      { params: { cartId: await scene.cart(owner), sku: scene.goods.sku }, body: { quantity: 2 } },
    ],
  },
  deleteCartLine: {
    owned: true,
    samples: async (scene, owner) => [{ params: { cartId: await scene.cart(owner), sku: scene.goods.sku } }],
  },
  claimCart: {
    owned: true,
    samples: async (scene, owner) => [{ params: { cartId: await scene.cart(owner) } }],
  },

  placeOrder: {
    owned: true,
    samples: async (scene, owner) => {
      const checkout = { shippingAddress: address, expectedTotal: scene.total };
      return [
        { body: { cartId: await scene.cart(owner), ...checkout } },
        { body: { lines: [{ sku: scene.goods.sku, quantity: 1 }], ...checkout } },
      ];
    },
  },
  createDrop: {
    samples: async (scene) => {
      const [one, other] = [await scene.freshGoods(), await scene.freshGoods()];
      const opensAt = new Date((await timeOf(scene.store)) + 3_600_000).toISOString();
      return [
        { body: await dropOf(scene, one.sku) },
        { body: { ...(await dropOf(scene, other.sku)), opensAt, holdSeconds: 60 } },
      ];
    },
  },
  listDrops: { samples: async () => [{ query: { limit: '2' } }] },
  getDrop: { samples: async (scene) => [{ params: { dropId: await announced(scene) } }] },
  changeDrop: {
    samples: async (scene) => {
      const params = { dropId: await announced(scene) };
      return [
        { params, body: { state: 'paused' } },
        { params, body: { state: 'open', admission: { rate: 5 }, fallbackPerSecond: 2 } },
      ];
    },
  },
  showDrop: { samples: async (scene) => [{ params: { dropId: await announced(scene) } }] },
  takeTicket: { samples: async (scene) => [{ params: { dropId: await opened(scene) } }] },
  getTicket: {
    owned: true,
    samples: async (scene, owner = scene.shopper) => {
      const dropId = await opened(scene);
      const { status, body, text } = await scene.store.request('POST', `/v1/drops/${dropId}/tickets`, owner);
      if (status !== 201) throw new Error(`no ticket: ${status} ${text}`);
      return [{ params: { dropId, ticketId: body.id } }];
    },
  },

  listOrders: { samples: async () => [{ query: { limit: '2' } }] },
  getOrder: { owned: true, samples: aboutOrder() },
  listOrderEvents: { owned: true, samples: aboutOrder() },
  payOrder: {
    owned: true,
    samples: aboutOrder({ method: 'card', token: 'tok_approve' }, { method: 'card', token: 'tok_decline' }),
  },
  cancelOrder: { owned: true, samples: aboutOrder() },
  receivePaymentWebhook: {
    samples: async ({ store }) => [await webhookOf(store, 'ord_Nobody-1')],
  },
  fulfilOrder: {
    samples: async (scene) => [{ params: { orderId: await scene.paidOrder(scene.shopper) } }],
  },
  deliverOrder: {
    samples: async (scene) => [{ params: { orderId: await scene.fulfilledOrder(scene.shopper) } }],
  },
  refundOrder: {
    samples: async (scene) => {
      const params = { orderId: await scene.paidOrder(scene.shopper) };
      return [
        { params, body: { amount: { amount: 1, currency: scene.total.currency }, reason: 'a scratch' } },
        { params, body: { lines: [{ sku: scene.goods.sku, quantity: 1 }], reason: 'damaged' } },
      ];
    },
  },

  listAdminOrders: {
    samples: async () => [
      { query: { limit: '2' } },
      { query: { status: 'placed', from: '2026-01-01T00:00:00Z', to: '2126-01-01T00:00:00Z' } },
    ],
  },
  getAdminOrder: {
    samples: async (scene) => [{ params: { orderId: await scene.order(scene.shopper) } }],
  },

  listExports: { samples: async ({ exported }) => [{ query: { from: exported, limit: '5' } }] },
  getExport: { samples: async ({ exported }) => [{ params: { date: exported } }] },
};

async function dropOf({ store }: Scene, sku: string) {
  const now = await timeOf(store);
  return {
    name: 'Moon jar, first firing',
    skus: [sku],
    closesAt: new Date(now + 7_200_000).toISOString(),
    perCustomerLimit: 2,
    admission: 'as-fast-as-payment',
    fallbackPerSecond: 5,
    // Few: the hours by which the clock is moved here are counted second by second.
    arrivalShards: 2,
  };
}

async function announced(scene: Scene): Promise<string> {
  const { sku } = await scene.freshGoods();
  const { status, body, text } = await scene.store.request('POST', '/v1/admin/drops', {
    ...scene.operator,
    json: await dropOf(scene, sku),
    headers: { 'idempotency-key': randomUUID() },
  });
  if (status !== 201) throw new Error(`no drop: ${status} ${text}`);
  return body.id;
}

/** A drop that is open. */
async function opened(scene: Scene): Promise<string> {
  const dropId = await announced(scene);
  const { body } = await scene.store.request('GET', `/v1/drops/${dropId}`);
  await moveClockTo(scene.store, Date.parse(body.opensAt));
  return dropId;
}

async function webhookOf(store: Scene['store'], reference: string): Promise<Sample> {
  const { body, headers } = await signedWebhook(store, reference);
  return { params: { provider: 'sandbox' }, headers, file: { type: 'application/json', text: body } };
}

/** Each about an order of its own. */
function aboutOrder(body?: object, ...others: readonly object[]): Row['samples'] {
  return async (scene, owner = scene.shopper) => {
    const about = async (body?: object): Promise<Sample> => ({
      params: { orderId: await scene.order(owner) },
      ...(body && { body }),
    });
    return [await about(body), ...(await Promise.all(others.map(about)))];
  };
}
