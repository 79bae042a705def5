/** A shop that sells over HTTP, as `npm run bench:peers` sees it. */
export interface Peer {
  readonly name: string;
  /** Package and version, or what it is. */
  readonly version: string;
  /** Puts its packages into the folder. */
  install(folder: string): Promise<void>;
  /** Starts its servers with an empty database. */
  start(folder: string): Promise<Shop>;
}

/** A shop that runs. */
export interface Shop {
  /** The processes that serve, besides the database that the command itself started. */
  readonly processes: readonly number[];
  /** Puts a product with that many units on sale. */
  seed(units: number): Promise<Goods>;
  /** A customer who is ready to buy: signed in where the product wants it. */
  customer(goods: Goods): Promise<Customer>;
  /** What the shop says is left to sell. */
  stock(goods: Goods): Promise<number>;
  /** Waits until everything that a checkout caused has been done. */
  rest(): Promise<void>;
  stop(): Promise<void>;
}

/** Whatever the shop needs to name its product. */
export type Goods = any;

export interface Customer {
  /** Buys one unit, from an empty cart to an order that is paid. Another `goods` each time is not needed. */
  checkout(): Promise<'sold' | 'refused'>;
}
