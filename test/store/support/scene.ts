import {
  address,
  type Goods,
  order,
  runExport,
  type Store,
  sell,
  settled,
  timeOf,
  totalOf,
} from '../../../bench/store.ts';

export interface Account {
  readonly token: string;
}

/** People and things of a store that requests can be about. */
export interface Scene {
  readonly store: Store;
  readonly shopper: Account;
  /** Another shopper, to whom nothing here belongs. */
  readonly stranger: Account;
  readonly operator: Account;
  readonly finance: Account;
  /** On sale, with units enough for every request. */
  readonly goods: Goods;
  /** A business date that has been exported. */
  readonly exported: string;
  /** What one unit of `goods` comes to at `address`. */
  readonly total: { readonly amount: number; readonly currency: string };
  /** Goods that nobody else looks at. */
  freshGoods(): Promise<Goods>;
  /** A cart with one unit of `goods`; a guest's without an owner. */
  cart(owner?: Account): Promise<string>;
  /** An order for one unit of `goods`, not paid. */
  order(owner: Account): Promise<string>;
  /** The same, for two units and paid. */
  paidOrder(owner: Account): Promise<string>;
  /** The same, handed to the carrier. */
  fulfilledOrder(owner: Account): Promise<string>;
}

/** Access tokens of so many new shoppers, who have no password. */
export async function shoppers(store: Pick<Store, 'request'>, count: number): Promise<readonly string[]> {
  const { status, body, text } = await store.request('POST', '/_local/shoppers', { json: { count } });
  if (status !== 201) throw new Error(`no shoppers: ${status} ${text}`);
  return body.items;
}

/** Sets a scene of its own in a store that runs. */
export async function setScene(store: Store): Promise<Scene> {
  const [shopper, stranger, operator, finance] = await Promise.all([
    store.account(),
    store.account(),
    store.account('operators'),
    store.account('finance'),
  ]);
  const goods = await sell(store, { stock: 1_000_000 });
  const line = { sku: goods.sku, quantity: 1 };
  const total = await totalOf(store, [line]);

  const place = async ({ token }: Account, quantity: number, payWith?: string): Promise<string> => {
    const lines = [{ ...line, quantity }];
    const sum = await totalOf(store, lines);
    const { status, body, text } = await order(store, { token, lines, total: sum, payWith: payWith ?? null });
    if (status !== 201) throw new Error(`no order: ${status} ${text}`);
    return body.id;
  };
  const paidOrder = async (owner: Account) => {
    const orderId = await place(owner, 2, 'tok_approve');
    await settled(store, owner.token, orderId, { payment: 'captured' });
    return orderId;
  };
  return {
    store,
    shopper,
    stranger,
    operator,
    finance,
    goods,
    exported: await exportOf(store),
    total,
    freshGoods: () => sell(store, { stock: 1_000 }),
    cart: async (owner) => {
      const { status, body, text } = await store.request('POST', `/v1/carts?country=${address.country}`, {
        ...owner,
        json: { lines: [line] },
      });
      if (status !== 201) throw new Error(`no cart: ${status} ${text}`);
      return body.id;
    },
    order: (owner) => place(owner, 1, ''),
    paidOrder,
    fulfilledOrder: async (owner) => {
      const orderId = await paidOrder(owner);
      const { status, text } = await store.request('POST', `/v1/admin/orders/${orderId}/fulfil`, operator);
      if (status !== 200) throw new Error(`not fulfilled: ${status} ${text}`);
      return orderId;
    },
  };
}

/** Several, of which none has to do with another. */
export async function setScenes(store: Store, count: number): Promise<readonly Scene[]> {
  const scenes: Scene[] = [];
  while (scenes.length < count) scenes.push(await setScene(store));
  return scenes;
}

/** Has a business date exported that has been over for a day, and answers it. */
async function exportOf(store: Store): Promise<string> {
  const { date } = await runExport(store, (await timeOf(store)) - 24 * 3_600_000);
  return date;
}
