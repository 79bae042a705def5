import type { Entry, SkuDrop } from '../../admission/published.ts';
import { maxLines } from '../../cart/contract.ts';
import { type Quote, type QuoteLine, quote } from '../../cart/published.ts';
import type { SkuPrice } from '../../catalog/published.ts';
import { allocate, type Draw, type Shard, type Stock, unitsIn } from '../../inventory/published.ts';
import type { Sleep } from '../../kernel/clock.ts';
import { DomainError, isDomainError } from '../../kernel/errors.ts';
import { storedEventOf } from '../../kernel/events.ts';
import { canonicalJson, derivedId, digest } from '../../kernel/ids.ts';
import { type OrderView, orderPlaced, type PlaceOrderBody } from '../contract.ts';
import { reservedUntil } from '../domain/decide.ts';
import { fold, type OrderEvent } from '../domain/order.ts';
import { viewOf } from '../domain/view.ts';
import { type AdmitPorts, admissionOf, admit, type RefusedEntry, refuseEntries } from './admit.ts';

export interface CartToOrder {
  readonly cartId: string;
  readonly version: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly orderId?: string;
}

/** What one write transaction is to do: all of it or nothing. */
export interface Placement {
  readonly event: OrderEvent;
  readonly draws: readonly Draw[];
  readonly cart: { readonly cartId: string; readonly version: number } | undefined;
  /** How it may buy from drops: each is used up, and its units count against the shopper's limit. */
  readonly entries?: readonly Entry[];
}

/** How the transaction ended. */
export type Committed =
  | { readonly result: 'placed' }
  /** Event 1 is there already: a replay, or an earlier try whose answer was lost. */
  | { readonly result: 'exists'; readonly event: OrderEvent }
  | {
      readonly result: 'refused';
      /** Shards that had too little, with what they have now. */
      readonly dry: readonly ({ readonly sku: string } & Shard)[];
      /** Shards that another transaction was writing. */
      readonly contended: readonly { readonly sku: string; readonly shard: number }[];
      /** Whether the cart has changed or was being written. */
      readonly cart: boolean;
      /** Whether event 1 was being written: perhaps by this very request, sent twice. */
      readonly event: boolean;
      /** What drops refused. */
      readonly entries?: readonly RefusedEntry[];
    };

/** SKUs at their prices, and the drops that demand admission for any of them. */
export interface OnSale {
  readonly prices: ReadonlyMap<string, SkuPrice>;
  readonly drops: readonly SkuDrop[];
}

/** What is known of a SKU's shards; with its latch closed they are empty. */
export type Known = Pick<Stock, 'shards' | 'soldOut'>;
/** A count, with what `closeLatch` needs. */
export type Counted = Known & Pick<Stock, 'opened'>;

export interface Ports extends AdmitPorts {
  /** Event 1 of the order, read consistently. */
  readonly findPlaced: (orderId: string) => Promise<OrderEvent | undefined>;
  readonly readCart: (cartId: string, customerId: string) => Promise<CartToOrder | undefined>;
  /** True now: what may have been read a moment ago stands still meanwhile. */
  readonly onSale: (skus: readonly string[]) => Promise<OnSale>;
  /** Possibly a moment old: only to choose where to try first. */
  readonly hintShards: (skus: readonly string[]) => Promise<ReadonlyMap<string, Known>>;
  /** The same, read consistently, unless there was plenty a moment ago. */
  readonly readShards: (skus: readonly string[]) => Promise<ReadonlyMap<string, Known>>;
  /** Those whose latch is closed, read consistently: of them there is no unit at that moment. */
  readonly soldOutAmong: (skus: readonly string[]) => Promise<ReadonlySet<string>>;
  /** True of one moment within the call. */
  readonly snapshot: (sku: string) => Promise<Counted>;
  /** Closes the latch of a SKU whose count was zero; nothing when units may have come since. */
  readonly closeLatch: (sku: string, counted: Counted) => Promise<void>;
  /** How often this environment has just lost a race for one of the SKUs, less its successes; 0 when it is calm. */
  readonly heat: (skus: readonly string[]) => number;
  /** Gathers units of the SKU's shards into fewer. */
  readonly consolidate: (sku: string, shards: readonly Shard[]) => Promise<void>;
  readonly commit: (placement: Placement) => Promise<Committed>;
  readonly sleep: Sleep;
  /** From 0 to below 1. */
  readonly random: () => number;
}

export interface PlaceOrderRequest {
  readonly customerId: string;
  readonly idempotencyKey: string;
  readonly body: PlaceOrderBody;
  readonly locale: 'ko' | 'en';
  readonly traceparent: string;
  /** Tokens of admissions to drops. */
  readonly admissions?: readonly string[];
}

export interface PlacedOrder {
  readonly order: OrderView;
  readonly replayed: boolean;
}

/** Stock actions that fit one transaction beside the event, the cart and up to three drops (100 at most). */
const maxDraws = 90;
/** How long a request looks for stock that others are writing. The function's time limit is above it. */
const patienceMs = 8_000;
/** How long units that are spread too thinly are gathered before the shopper is asked to come again. */
const gatheringMs = 3_000;
/** Backoff doubles from the first to the second, in milliseconds: hundreds who want one shard must come apart. */
const backoffMs = { first: 10, longest: 800 };

/**
 * Places an order.
 * 1. The order's id follows from customer and key, so that a repeat meets what it made before.
 * 2. Lines come from the cart or the request; prices and a hint of the stock are read.
 * 3. The quote must be what the shopper expects to pay; what is sold in a drop needs admission.
 * 4. Shards are chosen, and one transaction writes event 1, takes the stock, closes the cart and uses admissions up.
 * 5. Where shards were dry or contended, others are tried at once; "out of stock" only when the SKU's latch is closed or
 *    after an exact count, which closes the latch when nothing is left.
 * 6. Before any refusal event 1 is read: if it is there, this is a replay and answers as the first time.
 * @throws DomainError `out-of-stock`, `price-changed`, `cart-closed`, `cart-empty`, `not-found`,
 * `validation-failed`, `too-many-lines`, `currency-mismatch`, `idempotency-key-reused`, `admission-required`,
 * `admission-invalid`, `admission-used`, `customer-limit`, `drop-not-open`,
 * `temporary-reduced-capacity`
 */
export const placeOrder =
  (ports: Ports) =>
  async (request: PlaceOrderRequest): Promise<PlacedOrder> => {
    const orderId = derivedId('ord', request.customerId, request.idempotencyKey);
    const requestHash = digest(canonicalJson(request.body));
    try {
      return await place(ports, request, orderId, requestHash);
    } catch (error) {
      if (!isDomainError(error) || error.code === 'idempotency-key-reused') throw error;
      const placed = await ports.findPlaced(orderId);
      if (!placed) throw error;
      return replay(placed, requestHash);
    }
  };

/** The 201 as it was first answered, whatever has happened to the order since. */
function replay(event: OrderEvent, requestHash: string): PlacedOrder {
  const order = fold([event]);
  if (order.placed.requestHash !== requestHash) {
    throw new DomainError(
      'idempotency-key-reused',
      `This Idempotency-Key placed order ${order.id} with another request. Use a new key for a new order.`,
    );
  }
  return { order: viewOf(order), replayed: true };
}

async function place(
  ports: Ports,
  request: PlaceOrderRequest,
  orderId: string,
  requestHash: string,
): Promise<PlacedOrder> {
  const deadline = ports.now() + patienceMs;
  let basket = await fillBasket(ports, request);
  const skus = [...basket.demand.keys()];
  // Where others have just been in each other's way, one who begins steps back as they do.
  let conflicts = ports.heat(skus);
  if (conflicts > 0) await ports.sleep(backoff(ports, conflicts));
  const known = new Map(await ports.hintShards(skus));
  const contended = new Set<string>();
  let entries = await admit(ports, request, basket);

  for (let failures = 0; ; ) {
    const draws = await chooseDraws(ports, basket, known, contended, deadline);
    const event = placedEvent(ports, request, { orderId, requestHash, basket, draws, entries });
    const committed = await ports.commit({ event, draws, cart: basket.cart, entries });
    if (committed.result === 'placed') return { order: viewOf(fold([event])), replayed: false };
    if (committed.result === 'exists') return replay(committed.event, requestHash);

    for (const { sku, ...shard } of committed.dry) correct(known, sku, shard);
    contended.clear();
    for (const { sku, shard } of committed.contended) contended.add(`${sku}#${shard}`);
    if (committed.event) {
      const placed = await ports.findPlaced(orderId);
      if (placed) return replay(placed, requestHash);
    }
    const { entries: refused = [] } = committed;
    refuseEntries(refused, entries);
    if (ports.now() >= deadline) throw await lastWord(ports, basket);
    failures++;
    // A first conflict moves on at once. Who has lost twice, or found a shard dry, knows too little.
    const again = failures > 1 || committed.dry.length > 0;
    const busy = committed.event || committed.cart || refused.length > 0;
    const waits = busy || !hasAlternative(basket, known, contended);
    if ((waits || again) && committed.dry.length === 0) {
      conflicts++;
      await ports.sleep(backoff(ports, conflicts));
      contended.clear();
    }
    // Meanwhile the stock may have gone: a read is cheaper than another conflict.
    if (waits || again) {
      for (const [sku, fresh] of await ports.readShards([...basket.demand.keys()])) known.set(sku, fresh);
    }
    if (committed.cart) {
      basket = await fillBasket(ports, request);
      entries = await admit(ports, request, basket);
    }
  }
}

/** In milliseconds; random, so that those who met come apart. */
function backoff(ports: Ports, conflicts: number): number {
  return ports.random() * Math.min(backoffMs.longest, backoffMs.first * 2 ** conflicts);
}

interface Basket {
  readonly quote: Quote;
  /** Units by SKU: lines that draw on the same SKU are added up. */
  readonly demand: ReadonlyMap<string, number>;
  readonly drops: readonly SkuDrop[];
  readonly cart: { readonly cartId: string; readonly version: number } | undefined;
}

async function fillBasket(ports: Ports, { body, customerId }: PlaceOrderRequest): Promise<Basket> {
  const cart = 'cartId' in body ? await openCart(ports, body.cartId, customerId) : undefined;
  const lines = 'lines' in body ? body.lines : (cart?.lines ?? []);
  const demand = new Map<string, number>();
  for (const { sku, quantity } of lines) demand.set(sku, (demand.get(sku) ?? 0) + quantity);
  if (demand.size > maxLines) {
    throw new DomainError(
      'too-many-lines',
      `An order takes at most ${maxLines} distinct SKUs, not ${demand.size}.`,
    );
  }
  const skus = [...demand.keys()];
  const { prices, drops } = await ports.onSale(skus);
  const gone = [...demand].filter(([sku]) => !prices.get(sku)?.purchasable);
  if (gone.length > 0) throw unavailable(gone, cart !== undefined);
  const offer = quote(
    lines.map(({ sku, quantity }) => ({ ...prices.get(sku)!, quantity })),
    { country: body.shippingAddress.country, shippingMethod: body.shippingMethod },
  );
  const { total } = offer;
  if (total.amount !== body.expectedTotal.amount || total.currency !== body.expectedTotal.currency) {
    throw new DomainError(
      'price-changed',
      `The order now comes to ${total.amount} ${total.currency} in minor units. Show the shopper the new quote and send it as expectedTotal.`,
      { quote: offer },
    );
  }
  return { quote: offer, demand, drops, cart: cart && { cartId: cart.cartId, version: cart.version } };
}

async function openCart(ports: Ports, cartId: string, customerId: string): Promise<CartToOrder> {
  const cart = await ports.readCart(cartId, customerId);
  if (!cart) throw new DomainError('not-found', `There is no cart ${cartId} of yours.`);
  if (cart.orderId !== undefined) {
    throw new DomainError('cart-closed', `The cart became order ${cart.orderId}.`, { orderId: cart.orderId });
  }
  if (cart.lines.length === 0) throw new DomainError('cart-empty', 'Put something into the cart first.');
  return cart;
}

/** From a cart the line was sold once: it is out of stock now. Named directly it is a mistake of the request. */
function unavailable(gone: readonly [string, number][], fromCart: boolean): DomainError {
  if (fromCart) return outOfStock(gone.map(([sku, requested]) => ({ sku, requested, available: 0 })));
  return new DomainError('validation-failed', `Not sold here: ${gone.map(([sku]) => sku).join(', ')}.`, {
    errors: gone.map(([sku]) => ({ pointer: '#/lines', message: `${sku} is not sold` })),
  });
}

/** Chooses where each SKU's units come from; makes sure before it says that there are too few. */
async function chooseDraws(
  ports: Ports,
  basket: Basket,
  known: Map<string, Known>,
  contended: ReadonlySet<string>,
  deadline: number,
): Promise<readonly Draw[]> {
  const gatherUntil = Math.min(deadline, ports.now() + gatheringMs);
  for (;;) {
    const short: { sku: string; requested: number; available: number }[] = [];
    const draws: Draw[] = [];
    const gone = await soldOut(ports, basket, known);
    for (const [sku, requested] of basket.demand) {
      if (gone.has(sku)) {
        short.push({ sku, requested, available: 0 });
        continue;
      }
      let chosen = chooseFor(ports, sku, requested, known.get(sku)?.shards ?? [], contended);
      if (!chosen) {
        const exact = await ports.snapshot(sku);
        known.set(sku, exact);
        chosen = allocate({ sku, quantity: requested }, exact.shards, ports.random);
        if (!chosen) short.push({ sku, requested, available: await told(ports, sku, exact) });
      }
      if (chosen) draws.push(...chosen);
    }
    if (short.length > 0) throw outOfStock(short);
    if (draws.length <= maxDraws) return draws;
    await gatherMore(ports, draws, known, gatherUntil);
  }
}

/** Those of the SKUs whose latch is closed; it is asked only where it was closed a moment ago. */
async function soldOut(
  ports: Ports,
  basket: Basket,
  known: ReadonlyMap<string, Known>,
): Promise<ReadonlySet<string>> {
  const latched = [...basket.demand.keys()].filter((sku) => known.get(sku)?.soldOut);
  return latched.length > 0 ? ports.soldOutAmong(latched) : new Set();
}

/** The units of an exact count. When nothing is left, the next shopper need not count: the latch closes. */
async function told(ports: Ports, sku: string, exact: Counted): Promise<number> {
  const available = unitsIn(exact.shards);
  if (available === 0 && !exact.soldOut) await ports.closeLatch(sku, exact);
  return available;
}

/** Patience is over. Who cannot be served any more is told so; the others may come back. */
async function lastWord(ports: Ports, basket: Basket): Promise<DomainError> {
  const counts = await Promise.all(
    [...basket.demand].map(async ([sku, requested]) => {
      return { sku, requested, available: await told(ports, sku, await ports.snapshot(sku)) };
    }),
  );
  const short = counts.filter(({ requested, available }) => available < requested);
  return short.length > 0 ? outOfStock(short) : tooBusy();
}

/** Shards that others are writing come last. */
function chooseFor(
  ports: Ports,
  sku: string,
  requested: number,
  known: readonly Shard[],
  contended: ReadonlySet<string>,
): readonly Draw[] | undefined {
  const quiet = known.filter(({ shard }) => !contended.has(`${sku}#${shard}`));
  const demand = { sku, quantity: requested };
  return allocate(demand, quiet, ports.random) ?? allocate(demand, known, ports.random);
}

/** The line is spread over more shards than a transaction takes: units are moved together first. */
async function gatherMore(
  ports: Ports,
  draws: readonly Draw[],
  known: Map<string, Known>,
  until: number,
): Promise<void> {
  if (ports.now() >= until) throw tooBusy();
  const bySku = Map.groupBy(draws, ({ sku }) => sku);
  const [sku] = [...bySku].reduce((most, next) => (next[1].length > most[1].length ? next : most));
  await ports.consolidate(sku, (await ports.snapshot(sku)).shards);
  known.set(sku, await ports.snapshot(sku));
}

function correct(known: Map<string, Known>, sku: string, shard: Shard): void {
  const { shards, soldOut } = known.get(sku) ?? { shards: [], soldOut: false };
  known.set(sku, { soldOut, shards: shards.map((entry) => (entry.shard === shard.shard ? shard : entry)) });
}

function hasAlternative(
  basket: Basket,
  known: ReadonlyMap<string, Known>,
  contended: ReadonlySet<string>,
): boolean {
  return [...basket.demand].every(([sku, requested]) => {
    const shards = known.get(sku)?.shards ?? [];
    return unitsIn(shards.filter(({ shard }) => !contended.has(`${sku}#${shard}`))) >= requested;
  });
}

function placedEvent(
  ports: Ports,
  request: PlaceOrderRequest,
  made: {
    orderId: string;
    requestHash: string;
    basket: Basket;
    draws: readonly Draw[];
    entries: readonly Entry[];
  },
): OrderEvent {
  const { body } = request;
  const { quote: offer, cart } = made.basket;
  const at = ports.now();
  const event = storedEventOf(orderPlaced, {
    orderId: made.orderId,
    seq: 1,
    at,
    traceparent: request.traceparent,
    body: {
      customerId: request.customerId,
      number: numberOf(made.orderId),
      locale: request.locale,
      requestHash: made.requestHash,
      ...(cart && { cartId: cart.cartId }),
      currency: offer.currency,
      lines: offer.lines.map(placedLine),
      draws: [...made.draws],
      subtotal: offer.subtotal.amount,
      discount: offer.discount.amount,
      shipping: offer.shipping.amount,
      tax: offer.tax.amount,
      taxIncluded: offer.taxIncluded,
      total: offer.total.amount,
      shippingMethod: body.shippingMethod,
      reservedUntil: reservedUntil(at),
      ...(body.payment && { payment: { method: body.payment.method } }),
      ...(made.entries.length > 0 && { admissions: made.entries.map(admissionOf) }),
    },
  });
  const { shippingAddress, payment } = body;
  return { ...event, confidential: { shippingAddress, ...(payment && { token: payment.token }) } };
}

function placedLine(line: QuoteLine) {
  return {
    sku: line.sku,
    productId: line.productId,
    name: line.name,
    quantity: line.quantity,
    unitPrice: line.unitPrice.amount,
    discount: line.discount.amount,
    tax: line.tax.amount,
    total: line.total.amount,
  };
}

/** Twelve characters of the id in groups of four: 60 bits, easy to read out. */
function numberOf(orderId: string): string {
  return orderId.slice(-12).replace(/(.{4})(?=.)/g, '$1-');
}

function outOfStock(skus: readonly { sku: string; requested: number; available: number }[]): DomainError {
  const named = skus.map(({ sku, requested, available }) => `${sku}: ${requested} asked, ${available} left`);
  return new DomainError('out-of-stock', `Not enough stock. ${named.join('; ')}.`, { skus });
}

function tooBusy(): DomainError {
  return new DomainError(
    'temporary-reduced-capacity',
    'Many people want this now. Please try again in a moment.',
  );
}
