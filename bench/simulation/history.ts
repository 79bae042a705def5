import type { PlaceOrderBody } from '../../functions/order/contract.ts';
import type { Item } from './expressions.ts';
import type { Change } from './tables.ts';
import { orderOf, type World } from './world.ts';

/*
 * The checker. It believes nothing that the code under test works out: it reads the items as they were written, in the
 * order in which they were, and what clients were answered.
 */

/** A request to place an order while it is under way. */
interface Request {
  readonly actor: string;
  readonly orderId: string;
  readonly body: PlaceOrderBody;
  /** Whether the order was there when the request began. */
  readonly owned: boolean;
  /** Units of each SKU that were free at every moment of the request. */
  readonly free: Map<string, number>;
  /** SKUs that were on sale at every moment of it. */
  readonly sold: Set<string>;
  /** Prices of each SKU that were true at some moment of it. */
  readonly prices: Map<string, Set<number>>;
}

/** Events at which an order gives back what it holds. */
const releasing = ['order.cancelled', 'order.expired'];

/** What was announced of a drop. */
interface Drop {
  readonly id: string;
  readonly skus: readonly string[];
  readonly opensAt: number;
  /** Moved when an operator closes it. */
  readonly closesAt: number;
  readonly perCustomerLimit: number;
  readonly fallbackPerSecond: number;
}

/** Watches a run from its first write to its last. */
export class History {
  readonly #world: World;
  readonly #mayChangeStock: ReadonlyMap<string, number | undefined>;
  readonly #requests = new Set<Request>();
  /** By SKU: what shards hold, what orders hold, and what there is in all. */
  readonly #free = new Map<string, number>();
  readonly #held = new Map<string, number>();
  readonly #supply = new Map<string, number>();
  /** What operators' deeds changed of the supply, by deed. */
  readonly #supplied = new Map<string, number>();
  readonly #holding = new Map<string, readonly { sku: string; quantity: number }[]>();
  readonly #prices = new Map<string, { amount: number; sold: boolean }>();
  #drop: Drop | undefined;
  /** Units of the drop that each shopper holds or has bought. */
  readonly #bought = new Map<string, number>();
  readonly #positions = new Set<number>();
  #withoutAdmission = 0;
  /** The total of each order that somebody was told of. */
  readonly acknowledgedOrders = new Map<string, string>();
  /** What somebody was told that an order is now. */
  readonly promises: { readonly orderId: string; readonly promise: 'cancelled' }[] = [];
  readonly #placedBy = new Map<string, string | undefined>();
  readonly #answers = new Map<string, string>();
  readonly #adjustments: { deed: string; by: number; told: boolean }[] = [];

  /** @param mayChangeStock the deeds that add or take units; those that set them, with how many there are to be */
  constructor(world: World, mayChangeStock: ReadonlyMap<string, number | undefined>) {
    this.#world = world;
    this.#mayChangeStock = mayChangeStock;
  }

  /** Steps until the first wrong. */
  wrongAt: number | undefined;

  wrong(what: string): void {
    this.wrongAt ??= this.#world.gate.taken.length;
    this.#world.wrongs.push(what);
  }

  /** Sees what a command changed, at the moment at which it did. */
  committed(changes: readonly Change[], actor: string | undefined): void {
    const stock = new Map<string, number>();
    const held = new Map<string, number>();
    for (const change of changes) {
      const { table, before, after } = change;
      if (table === 'inventory') this.#stockChanged(change, stock);
      if (table === 'order') this.#orderChanged(change, held, actor);
      if (table === 'admission') this.#admissionChanged(change);
      if (table === 'catalog' && after?.sku) this.#priceChanged(after);
      if (table === 'finance' && before && after) this.wrong(`journal entry ${after.sk} was changed`);
      if (table === 'finance' && after?.postings) this.#entryAdded(after);
      if (table === 'sandbox' && after?.sk === 'CHARGE') this.#chargeChanged(after);
    }
    for (const sku of new Set([...stock.keys(), ...held.keys()]))
      this.#balance(sku, stock.get(sku) ?? 0, held.get(sku) ?? 0, actor);
    for (const { table, after } of changes) if (table === 'inventory' && after) this.#latchClosed(after.sku);
  }

  #stockChanged({ before, after }: Change, stock: Map<string, number>): void {
    const { sku, sk } = (after ?? before)!;
    if (sk !== 'SHARD') return;
    if (!after) this.wrong(`a shard of ${sku} was deleted`);
    else if (after.available < 0) this.wrong(`shard ${after.shard} of ${sku} is below zero`);
    stock.set(sku, (stock.get(sku) ?? 0) + (after?.available ?? 0) - (before?.available ?? 0));
  }

  /** While "sold out" is said without a look, there must be nothing to sell. */
  #latchClosed(sku: string): void {
    const header = this.#world.tables.item('inventory', `STOCK#${sku}`, 'HEADER');
    const free = this.#free.get(sku) ?? 0;
    if (header?.soldOut && free > 0) this.wrong(`the latch of ${sku} is closed over ${free} units`);
  }

  #orderChanged({ sk, before, after }: Change, held: Map<string, number>, actor: string | undefined): void {
    if (!sk.startsWith('EVENT#')) return;
    if (before || !after) {
      this.wrong(`event ${sk} of ${(before ?? after)!.orderId} was changed or deleted`);
      return;
    }
    const { orderId, type } = after;
    const hold = (draws: readonly { sku: string; quantity: number }[], sign: number) => {
      for (const { sku, quantity } of draws) held.set(sku, (held.get(sku) ?? 0) + sign * quantity);
    };
    if (sk === 'EVENT#000001') {
      const { draws, lines } = JSON.parse(after.body);
      this.#enters(after, lines);
      this.#placedBy.set(orderId, actor);
      this.#holding.set(orderId, draws);
      hold(draws, 1);
      if (!sameUnits(draws, lines)) this.wrong(`${orderId} takes other units than it sells`);
    }
    const holding = this.#holding.get(orderId);
    if (!releasing.includes(type) || !holding) return;
    hold(holding, -1);
    this.#holding.delete(orderId);
    const first = this.#first(orderId);
    if (first) this.#leaves(JSON.parse(first.body));
  }

  announced(drop: Drop): void {
    this.#drop = drop;
  }

  /** An order of a drop: by an admission that nobody has used, or by a slot of the fallback rate, within the limit. */
  #enters({ orderId, at, body }: Item, lines: readonly Item[]): void {
    const drop = this.#drop;
    if (!drop || lines.every(({ sku }) => !drop.skus.includes(sku))) return;
    const { customerId, admissions = [] } = JSON.parse(body);
    const entry = admissions.find(({ dropId }: Item) => dropId === drop.id);
    // Clocks differ by two seconds at most.
    const open = Date.parse(at) > drop.opensAt + 2_000 && Date.parse(at) < drop.closesAt - 30_000;
    if (!entry) {
      if (open) this.wrong(`${orderId} bought in the drop without an entry`);
      return;
    }
    if (Date.parse(at) < drop.opensAt - 2_000) this.wrong(`${orderId} bought before the drop opened`);
    if (entry.position !== undefined && this.#positions.has(entry.position))
      this.wrong(`admission ${entry.position} was used twice`);
    if (entry.position === undefined) this.#withoutAdmission++;
    else this.#positions.add(entry.position);
    this.#buys(customerId, this.#unitsOfDrop(lines));
  }

  #leaves({ customerId, admissions = [], lines }: Item): void {
    const entry = admissions.find(({ dropId }: Item) => dropId === this.#drop?.id);
    if (entry) this.#buys(customerId, -this.#unitsOfDrop(lines));
  }

  /** By what is sold, not by what the entry says of it. */
  #unitsOfDrop(lines: readonly Item[]): number {
    const sold = lines.filter(({ sku }) => this.#drop!.skus.includes(sku));
    return sold.reduce((sum, { quantity }) => sum + quantity, 0);
  }

  #buys(customerId: string, units: number): void {
    const bought = (this.#bought.get(customerId) ?? 0) + units;
    this.#bought.set(customerId, bought);
    if (bought > this.#drop!.perCustomerLimit) this.wrong(`${customerId} has ${bought} units of the drop`);
  }

  /** What was used stays used, and within a second there are only so many slots. */
  #admissionChanged({ pk, before, after }: Change): void {
    if (after && after.id === this.#drop?.id) this.#drop = after as Drop & Item;
    const [kind = '', drop = '', second = ''] = pk.split('#');
    if (!['CLAIM', 'FALLBACK'].includes(kind)) return;
    if (before) this.wrong(`${pk} was used ${after ? 'twice' : 'and is free again'}`);
    if (kind !== 'FALLBACK') return;
    const slots = this.#world.tables
      .all('admission')
      .filter((item) => item.pk.startsWith(`FALLBACK#${drop}#${second}#`));
    if (slots.length > this.#drop!.fallbackPerSecond)
      this.wrong(`${slots.length} orders in one second by fallback`);
  }

  /** The limit's counters say what was bought, and each order without an admission has a slot of its own. */
  wrongLimits(): string[] {
    const items = this.#world.tables.all('admission');
    const slots = items.filter(({ sk }) => sk === 'FALLBACK').length;
    const shared = slots !== this.#withoutAdmission;
    return [
      ...(shared ? [`${this.#withoutAdmission} orders share ${slots} slots of the fallback rate`] : []),
      ...this.#wrongCounters(items),
    ];
  }

  #wrongCounters(items: readonly Item[]): string[] {
    return items
      .filter(({ sk }) => sk === 'CUSTOMER')
      .flatMap(({ pk, units }) => {
        const bought = this.#bought.get(pk.split('#').at(-1)) ?? 0;
        return units === bought ? [] : [`${pk} counts ${units} units, ${bought} were bought`];
      });
  }

  /** Units move between shards and orders; only operators make or take any. */
  #balance(sku: string, stock: number, held: number, actor: string | undefined): void {
    const free = (this.#free.get(sku) ?? 0) + stock;
    const inOrders = (this.#held.get(sku) ?? 0) + held;
    this.#free.set(sku, free);
    this.#held.set(sku, inOrders);
    const deed = actor?.split(/[ ~]/)[0] ?? '';
    if (actor === undefined || this.#mayChangeStock.has(deed)) {
      this.#supply.set(sku, (this.#supply.get(sku) ?? 0) + stock);
      this.#supplied.set(deed, (this.#supplied.get(deed) ?? 0) + stock);
      // A unit that was sold while an operator counted must not come back by it.
      const to = this.#mayChangeStock.get(deed);
      if (to !== undefined && free !== to) this.wrong(`${deed} was to set ${sku} to ${to}, and left ${free}`);
    }
    const supply = this.#supply.get(sku) ?? 0;
    if (free + inOrders !== supply)
      this.wrong(`of ${supply} units of ${sku} ${free} are free and ${inOrders} sold or reserved (${actor})`);
    for (const request of this.#requests)
      request.free.set(sku, Math.min(request.free.get(sku) ?? Number.POSITIVE_INFINITY, free));
  }

  #priceChanged({ sku, price, purchasable }: Item): void {
    this.#prices.set(sku, { amount: price.amount, sold: purchasable });
    for (const request of this.#requests) {
      request.prices.get(sku)?.add(price.amount);
      if (!purchasable) request.sold.delete(sku);
    }
  }

  #entryAdded({ sk, postings }: Item): void {
    const sums = new Map<string, number>();
    for (const { debit, credit, currency } of postings)
      sums.set(currency, (sums.get(currency) ?? 0) + debit - credit);
    if ([...sums.values()].some((sum) => sum !== 0)) this.wrong(`journal entry ${sk} does not balance`);
  }

  /** At most one net capture of an order, whatever comes later. */
  #chargeChanged({ reference, captured }: Item): void {
    if (captured === 0) return;
    const orderId = orderOf(reference);
    const kept = this.#world.tables
      .all('sandbox')
      .filter((item) => item.sk === 'CHARGE' && orderOf(item.reference) === orderId && net(item) > 0);
    if (kept.length > 1) this.wrong(`${orderId} was charged ${kept.length} times`);
  }

  /** A request to place an order begins. */
  begins(
    actor: string,
    { orderId, customer, body }: { orderId: string; customer: string; body: PlaceOrderBody },
  ) {
    const request: Request = {
      actor,
      orderId,
      body,
      owned: this.#first(orderId) !== undefined,
      free: new Map(this.#free),
      sold: new Set([...this.#prices].flatMap(([sku, { sold }]) => (sold ? [sku] : []))),
      prices: new Map([...this.#prices].map(([sku, { amount }]) => [sku, new Set([amount])])),
    };
    this.#requests.add(request);
    return {
      answered: (answer: { order: object }) => {
        this.#requests.delete(request);
        this.#answered(request, customer, answer.order);
      },
      refused: (error: any) => {
        this.#requests.delete(request);
        this.#refused(request, error);
      },
    };
  }

  #answered(request: Request, customer: string, order: any): void {
    const { orderId, body } = request;
    const first = this.#first(orderId);
    if (!first) {
      this.wrong(`${orderId} was acknowledged and is not stored`);
      return;
    }
    const placed = JSON.parse(first.body);
    if (placed.customerId !== customer) this.wrong(`${orderId} is another shopper’s`);
    if (placed.total !== body.expectedTotal.amount)
      this.wrong(`${orderId} has another total than was expected`);
    if (order.id !== orderId || order.total.amount !== placed.total)
      this.wrong(`${orderId} was answered otherwise than it is stored`);
    const answer = JSON.stringify(order);
    const before = this.#answers.get(orderId) ?? answer;
    this.#answers.set(orderId, before);
    if (answer !== before) this.wrong(`${orderId} was answered in two ways`);
    // Sent twice at once, the other one may have placed it, at a price of its own time.
    if (this.#placedBy.get(orderId) !== request.actor) return;
    for (const { sku, unitPrice } of placed.lines)
      if (!request.prices.get(sku)?.has(unitPrice))
        this.wrong(`${orderId} was sold at ${unitPrice}, which was no price of ${sku} meanwhile`);
  }

  #refused(request: Request, error: any): void {
    const { code, members } = error;
    if (code === undefined) return;
    const { orderId, actor } = request;
    if (request.owned) this.wrong(`${actor} was refused (${code}) although ${orderId} is theirs`);
    if (code !== 'out-of-stock') return;
    const asked = (members.skus ?? []) as { sku: string; requested: number }[];
    const falsely = asked.filter(
      ({ sku, requested }) => request.sold.has(sku) && (request.free.get(sku) ?? 0) >= requested,
    );
    if (falsely.length > 0 || asked.length === 0)
      this.wrong(`${actor} was told "sold out" although enough was there all the while`);
  }

  #first(orderId: string): Item | undefined {
    return this.#world.tables.item('order', `ORDER#${orderId}`, 'EVENT#000001');
  }

  acknowledged(orderId: string, customer: string): void {
    this.acknowledgedOrders.set(orderId, customer);
  }

  told(orderId: string, promise: 'cancelled'): void {
    this.promises.push({ orderId, promise });
  }

  adjusted(deed: string, by: number, told: boolean): void {
    this.#adjustments.push({ deed, by, told });
  }

  /** What operators' changes came to. */
  wrongAdjustments(): string[] {
    return this.#adjustments.flatMap(({ deed, by, told }) => {
      const came = this.#supplied.get(deed) ?? 0;
      const right = came === by || (came === 0 && !told);
      return right ? [] : [`${deed} was to change the stock by ${by}, and changed it by ${came}`];
    });
  }
}

function net({ captured, refunds }: Item): number {
  return captured - refunds.reduce((sum: number, { amount }: Item) => sum + amount, 0);
}

function sameUnits(draws: readonly Item[], lines: readonly Item[]): boolean {
  const units = new Map<string, number>();
  for (const { sku, quantity } of draws) units.set(sku, (units.get(sku) ?? 0) + quantity);
  for (const { sku, quantity } of lines) units.set(sku, (units.get(sku) ?? 0) - quantity);
  return [...units.values()].every((left) => left === 0);
}
