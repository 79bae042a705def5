import { measureOrders, type OrderReading } from '../measure-order.ts';
import { orderCost } from '../order-cost.ts';
import { openStore, order, sell, totalOf } from '../store.ts';

/** What the embedded cloud's meter counted, of one order. */
export interface Calibration {
  readonly order: {
    /** The bill of a sale until it is captured, journalled and mailed, without e-mail and waiting for the provider. */
    readonly bill: Readonly<Record<string, number>>;
    /** Of the transaction that places it, by table; `orderIndex` of each of the two indexes. */
    readonly writeUnits: { readonly order: number; readonly orderIndex: number; readonly inventory: number };
    /** Before that transaction: of the SKU's price, its drops, and each stock item that is looked at. */
    readonly readUnits: { readonly price: number; readonly drop: number; readonly stockItem: number };
  };
  /** An order that is refused because nothing is left. */
  readonly soldOut: { readonly readUnits: number; readonly writeUnits: number };
}

const indexes = 2;
/** Header and one shard. */
const stockItems = 2;

/** Measures anew: `npm run simulate:scale -- --calibrate`. */
export async function calibrate(reading?: OrderReading): Promise<Calibration> {
  const measured = reading ?? (await measureOrders(4));
  return { order: ofOrder(measured), soldOut: await ofRefusal() };
}

function ofOrder(reading: OrderReading): Calibration['order'] {
  const bill: Record<string, number> = {};
  for (const { price, count, part } of orderCost(reading).lines) {
    if (part === 'own') bill[price] = rounded((bill[price] ?? 0) + count);
  }
  const units = (operation: string, table: string, count: string) =>
    reading.lines
      .filter((line) => line.by === 'order-place-order' && line.operation === operation)
      .filter((line) => line.resource.includes(`${table}Table`))
      .reduce((sum, { counts }) => sum + (counts[count] ?? 0), 0) / reading.orders;
  const ofIndexes = units('TransactWriteItems', 'Order', 'indexWriteUnits');
  return {
    bill,
    writeUnits: {
      order: units('TransactWriteItems', 'Order', 'writeUnits') - ofIndexes,
      orderIndex: ofIndexes / indexes,
      inventory: units('TransactWriteItems', 'Inventory', 'writeUnits'),
    },
    readUnits: {
      price: units('BatchGetItem', 'Catalog', 'readUnits'),
      drop: units('BatchGetItem', 'Admission', 'readUnits'),
      stockItem: units('BatchGetItem', 'Inventory', 'readUnits') / stockItems,
    },
  };
}

/** One shopper asks for the second of one unit. */
async function ofRefusal(): Promise<Calibration['soldOut']> {
  const store = await openStore({ stage: 'prod' });
  try {
    const { sku } = await sell(store, { stock: 1 });
    const { token } = await store.account();
    const lines = [{ sku, quantity: 1 }];
    const total = await totalOf(store, lines);
    for (const expected of [201, 409, 409]) {
      if (expected === 409) await store.request('DELETE', '/_local/meter');
      const { status, text } = await order(store, { token, lines, total });
      if (status !== expected) throw new Error(`${expected} expected, not ${status} ${text}`);
    }
    const { body } = await store.request('GET', '/_local/meter');
    const place = store.cloud.runtime
      .resources('AWS::Lambda::Function')
      .find(({ properties }) => properties.Description.startsWith('Places an order'))!;
    const units = (count: string) =>
      body.lines
        .filter((line: { by: string }) => line.by === place.ref)
        .reduce((sum: number, { counts }: any) => sum + (counts[count] ?? 0), 0);
    return { readUnits: units('readUnits'), writeUnits: units('writeUnits') };
  } finally {
    await store.stop();
  }
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}
