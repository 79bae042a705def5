import { isDomainError } from '../../functions/kernel/errors.ts';
import { derivedId } from '../../functions/kernel/ids.ts';
import type { PlaceOrderBody } from '../../functions/order/contract.ts';
import type { Actors } from './actors.ts';
import type { Chance } from './chance.ts';
import type { Drops } from './drops.ts';
import type { History } from './history.ts';
import type { Deed, Plan, Shopper } from './plan.ts';
import type { Scheduler } from './scheduler.ts';
import type { Shop } from './shop.ts';
import type { World } from './world.ts';

/** What a client learns: an answer, a refusal for good, or nothing. */
type Learnt<T> = { readonly value: T } | { readonly refused: string; readonly members: any } | undefined;

const minute = 60_000;
/** Milliseconds for which a function behind a route may run. */
const httpLimit = 20_000;
/** Times that a client sends a request of which it has heard nothing. */
const tries = 4;

/** Shoppers and operators: clients of the API, who send again what is not answered. */
export class People {
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #actors: Actors;
  readonly #shop: Shop;
  readonly #history: History;
  readonly #chance: Chance;
  readonly #drops: Drops;
  readonly #plan: Plan;
  /** The order of a shopper, once they know of it. */
  readonly #orders = new Map<string, string>();

  constructor(
    parts: {
      world: World;
      scheduler: Scheduler;
      actors: Actors;
      shop: Shop;
      history: History;
      chance: Chance;
      drops: Drops;
    },
    plan: Plan,
  ) {
    this.#world = parts.world;
    this.#scheduler = parts.scheduler;
    this.#actors = parts.actors;
    this.#shop = parts.shop;
    this.#history = parts.history;
    this.#chance = parts.chance;
    this.#drops = parts.drops;
    this.#plan = plan;
  }

  /** Lets everybody begin at their time. */
  begin(): void {
    const { start, shoppers, deeds } = this.#plan;
    for (const shopper of shoppers) this.#scheduler.at(start + shopper.at, () => void this.#shops(shopper));
    for (const deed of deeds) this.#scheduler.at(start + deed.at, () => void this.#does(deed));
  }

  async #shops(shopper: Shopper): Promise<void> {
    const { name, lines } = shopper;
    const cartId = `crt_${name}`;
    if (shopper.cart) this.#shop.cart(cartId, name, lines);
    const token = await this.#waits(shopper);
    if (token === 'gives up') return;
    let total = this.#shop.totalOf(lines);
    for (let number = 1; number <= 3; number++) {
      const key = `key-${number}`;
      const body = this.#shop.order(shopper.cart ? { cartId } : { lines }, total, {
        ...(shopper.pays === 'with-order' && { token: shopper.card }),
      });
      const first = number === 1 && shopper.doubles;
      // An admission is good for one order, a cart for one: with another key there would be two.
      const second = shopper.cart || token ? 'tab-2' : key;
      const sent = [
        this.#places(name, key, body, '', token),
        ...(first ? [this.#places(name, second, body, 'b', token)] : []),
      ];
      const answers = await Promise.all(sent);
      const placed = answers.find((learnt) => learnt && 'value' in learnt);
      const changed = answers.find(
        (learnt) => learnt && 'refused' in learnt && learnt.refused === 'price-changed',
      );
      if (placed && 'value' in placed) {
        const own = answers[0] === placed ? key : second;
        if (token && !shopper.cart) void this.#wantsMore(shopper, body);
        return this.#owns(shopper, placed.value.order.id, own, body, token);
      }
      if (changed && 'members' in changed) total = changed.members.quote.total;
      else await this.#scheduler.sleep(5 * minute);
    }
  }

  /** Stands in the queue of a drop until it is their turn; some give up, some try without. */
  async #waits({ name, lines }: Shopper, which = ''): Promise<string | 'gives up' | undefined> {
    const { drop } = this.#plan;
    if (!drop || lines.every(({ sku }) => sku !== drop.sku)) return undefined;
    if (this.#chance.happens(`${name} does not queue`, 0.2)) return undefined;
    for (let look = 1; look <= 30; look++) {
      const learnt = await this.#asks(`${name}/ticket ${which}${look}`, (actor) =>
        this.#drops.take(actor, name),
      );
      if (learnt && 'refused' in learnt && learnt.refused !== 'drop-not-open') return undefined;
      const ticket = learnt && 'value' in learnt ? learnt.value : undefined;
      if (ticket?.admission) {
        return this.#chance.happens(`${name} has left`, 0.2) ? 'gives up' : ticket.admission.token;
      }
      if (ticket?.state === 'closed') return undefined;
      await this.#scheduler.sleep((ticket?.pollAfterSeconds ?? 2) * 1_000);
    }
    return 'gives up';
  }

  /** Most of those who have bought in a drop queue again, and are held to its limit. */
  async #wantsMore(shopper: Shopper, body: PlaceOrderBody): Promise<void> {
    const { name } = shopper;
    if (!this.#chance.happens(`${name} wants more`, 0.8)) return;
    const token = await this.#waits(shopper, 'again ');
    if (!token || token === 'gives up') return;
    const learnt = await this.#places(name, 'more', body, '', token);
    if (learnt && 'value' in learnt) this.#history.acknowledged(learnt.value.order.id, name);
  }

  #places(name: string, key: string, body: PlaceOrderBody, which = '', token?: string) {
    const orderId = derivedId('ord', name, key);
    return this.#asks(`${name}/place ${key}${which}`, async (actor) => {
      const request = this.#history.begins(actor, { orderId, customer: name, body });
      try {
        const answer = await this.#actors.place(actor, key, body, name, token ? [token] : []);
        request.answered(answer);
        return answer;
      } catch (error) {
        request.refused(error);
        throw error;
      }
    });
  }

  async #owns(
    shopper: Shopper,
    orderId: string,
    key: string,
    body: PlaceOrderBody,
    token: string | undefined,
  ): Promise<void> {
    const { name, card, pays, cancelsAfter } = shopper;
    this.#orders.set(name, orderId);
    this.#history.acknowledged(orderId, name);
    if (cancelsAfter !== undefined) {
      this.#scheduler.after(cancelsAfter, async () => {
        const learnt = await this.#asks(`${name}/cancel`, (actor) =>
          this.#actors.cancel(actor, orderId, name),
        );
        if (learnt && 'value' in learnt) this.#history.told(orderId, 'cancelled');
      });
    }
    if (shopper.sendsAgain) {
      const pause = this.#chance.pick(`${name} sends again after`, [1_000, 5 * minute, 20 * minute]);
      this.#scheduler.after(pause, () => void this.#places(name, key, body, ' again', token));
    }
    const read = await this.#asks(`${name}/read`, (actor) => this.#actors.read(actor, orderId, name));
    if (read && 'refused' in read) this.#history.wrong(`${orderId} was acknowledged and cannot be read`);
    if (pays === 'never') return;
    let attempt = 1;
    if (pays === 'afterwards') await this.#pays(name, orderId, card, 'pay-1');
    if (pays === 'browser') await this.#confirms(name, orderId, body);
    if (card === 'tok_requires_action') await this.#visitsBank(shopper, `${orderId}-${attempt}`);
    if (!this.#chance.happens(`${name} has a second card`, 0.5)) return;
    await this.#scheduler.sleep(2 * minute);
    attempt++;
    if (this.#shop.isPlaced(orderId)) await this.#pays(name, orderId, 'tok_approve', `pay-${attempt}`);
  }

  async #pays(name: string, orderId: string, card: string, key: string): Promise<void> {
    await this.#asks(`${name}/${key}`, (actor) => this.#actors.pay(actor, orderId, card, key, name));
  }

  /** Authorises in the browser; the server confirms. */
  async #confirms(name: string, orderId: string, { expectedTotal: amount }: PlaceOrderBody): Promise<void> {
    const token = this.#chance.pick(`${name} browser card`, ['tok_approve', 'tok_approve', 'tok_decline']);
    const paymentKey = await this.#world.paymentKey(orderId, amount, token);
    const means = { provider: 'sandbox', paymentKey, amount };
    await this.#asks(`${name}/browser`, (actor) => this.#actors.pay(actor, orderId, means, 'browser', name));
  }

  async #visitsBank({ name, deed }: Shopper, reference: string): Promise<void> {
    if (deed === 'nothing') return;
    for (let visit = 1; visit <= 5; visit++) {
      await this.#scheduler.sleep(30_000);
      const status = await this.#world.act(`${name}/bank ${visit}`, reference, deed).catch(() => 0);
      if (status >= 200 && status < 300) return;
    }
  }

  async #does(deed: Deed): Promise<void> {
    const shop = this.#shop;
    const ask = <T>(work: (actor: string) => Promise<T>) => this.#asks(deed.name, work);
    switch (deed.does) {
      case 'price':
        await ask((actor) => shop.reprice(actor, deed.sku, deed.amount));
        return;
      case 'withdraw':
        await ask((actor) => shop.withdraw(actor, deed.sku));
        return;
      case 'adjust': {
        const learnt = await ask((actor) => shop.adjust(actor, deed.sku, deed.by, deed.name));
        this.#history.adjusted(deed.name, deed.by, learnt !== undefined && 'value' in learnt);
        return;
      }
      case 'set':
        await ask((actor) => shop.set(actor, deed.sku, deed.to));
        return;
      case 'shards':
        await ask((actor) => shop.addShards(actor, deed.sku, deed.count));
        return;
      case 'close':
        await ask((actor) => this.#drops.close(actor));
        return;
      case 'refund': {
        const orderId = this.#orders.get(deed.of);
        if (!orderId) return;
        const amount =
          deed.amount === undefined ? {} : { amount: { amount: deed.amount, currency: 'KRW' as const } };
        const request = { ...amount, reason: 'scratched' };
        await ask((actor) => this.#actors.refund(actor, orderId, request, deed.name));
      }
    }
  }

  /** Sends a request, and sends it again while nothing is heard or the store is too busy. */
  async #asks<T>(what: string, work: (actor: string) => Promise<T>): Promise<Learnt<T>> {
    for (let sent = 1; sent <= tries; sent++) {
      const actor = `${what} #${sent}`;
      const invoked = await this.#scheduler.invoke(actor, httpLimit, () => work(actor));
      // The answer itself may be lost between the store and the client.
      const heard = this.#scheduler.calm || !this.#chance.happens(`${actor} is not heard`, 0.05);
      if ('value' in invoked && heard) return invoked;
      if ('error' in invoked && heard) {
        const { error } = invoked;
        if (isDomainError(error) && error.code !== 'temporary-reduced-capacity')
          return { refused: error.code, members: error.members };
      }
      await this.#scheduler.sleep(200 * 4 ** sent * this.#chance.of(`${actor} waits`));
    }
    return undefined;
  }
}
