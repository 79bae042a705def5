import { skuKey } from '../../functions/catalog/keys.ts';
import type { StoredEvent } from '../../functions/kernel/events.ts';
import { derivedId } from '../../functions/kernel/ids.ts';
import { fold } from '../../functions/order/domain/order.ts';
import { chargeIdOf } from '../../functions/sandbox/domain/charge.ts';
import { Actors, customerId, isFor, type SagaFaults } from '../simulation/actors.ts';
import { wrongLatch, wrongMoneyCall, wrongsAtRest } from '../simulation/check.ts';
import { Deliveries, untilQuiet } from '../simulation/deliveries.ts';
import { type Bounds, type Exploration, explore } from '../simulation/explore.ts';
import { cart, eventsOf, goods, put, request, sku, skuOnSale } from '../simulation/given.ts';
import type { Mishap, Step } from '../simulation/steps.ts';
import { type Defect, noon, World } from '../simulation/world.ts';

/** What the actors of a race are made from. */
interface Track {
  readonly world: World;
  readonly actors: Actors;
  readonly deliveries: Deliveries;
  /** Has events of these types reach worker and webhook as soon as they come, among the racers. */
  readonly deliver: (...types: readonly string[]) => void;
  /** Places an order before the race; answers its id. */
  readonly placed: (token?: string, quantity?: number) => Promise<string>;
  /** Runs the saga before the race until the first step of this name is about to be taken. */
  readonly sagaUpTo: (orderId: string, what: string) => Promise<void>;
}

/** A race by name. */
export interface Race {
  readonly name: string;
  /** Units by shard. */
  readonly stock: readonly number[];
  /** Sets the scene, begins the racers, and answers the judge of how it ends: what is wrong, at rest. */
  readonly start: (track: Track) => Promise<() => readonly string[]>;
  readonly mishap?: (step: Step) => Mishap | undefined;
}

/** Every race ends well in every order of its steps; `wrong` says which does not. */
export interface RaceFigures extends Exploration {
  readonly race: string;
  /** Imposed in one order at most. */
  readonly conflicts: number;
  /** How the orders ended, with how often. */
  readonly ends: Readonly<Record<string, number>>;
  /** Different contents of all tables, answers and letters in which the race has ended. */
  readonly endStates: number;
}

const minute = 60_000;
const key = 'key-1';
const orderId = derivedId('ord', customerId, key);
const second = derivedId('ord', customerId, 'key-2');

const status = ({ world }: Track, id = orderId) => {
  const events = eventsOf(world, id);
  return events.length > 0 ? fold(events).status : 'none';
};

/** The order ends in one of these. */
const endsIn = (track: Track, ...statuses: readonly string[]) =>
  statuses.includes(status(track)) ? [] : [`the order ends ${status(track)}`];

/** What an actor was refused with; undefined when it was not. */
const refusal = ({ world }: Track, actor: string) => {
  const result = world.results.get(actor);
  return result && 'error' in result ? result.error.name : undefined;
};

const answered = (track: Track, actor: string, ...allowed: readonly (string | undefined)[]) =>
  allowed.includes(refusal(track, actor)) ? [] : [`${actor} was answered ${refusal(track, actor)}`];

/** Whoever was told "cancelled" has a cancelled order. */
const cancelled = (track: Track) => [...answered(track, 'cancel', undefined), ...endsIn(track, 'cancelled')];

export const races: readonly Race[] = [
  {
    name: 'webhook before return, return before webhook',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      // Later than a run may still be under way: the hint is taken.
      world.now += minute;
      track.deliver('webhook.due', 'payment.hinted');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      return () => endsIn(track, 'paid');
    },
  },
  {
    name: 'webhook and return, both twice',
    stock: [5],
    start: async (track) => {
      const { world, actors, deliveries } = track;
      await track.placed('tok_approve');
      world.now += minute;
      world.heard = (event) => {
        if (event.type !== 'webhook.due') return;
        deliveries.begin(event, 'deliver-webhook');
        deliveries.begin(event, 'deliver-webhook');
      };
      world.spawn('run A', () => actors.work('run A', { orderId, resumed: false }));
      world.spawn('run B', () => actors.work('run B', { orderId, resumed: false }));
      return () => endsIn(track, 'paid');
    },
  },
  {
    name: 'webhook and cancel while the shopper confirms (3-D Secure)',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await awaitingShopper(track);
      track.deliver('webhook.due', 'payment.hinted', 'cancel.requested');
      world.spawn('shopper confirms', () => world.act('shopper confirms', `${orderId}-1`, 'confirm'));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'webhook, reconciler and the shopper’s refusal (3-D Secure)',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await awaitingShopper(track);
      world.now += 5 * minute;
      track.deliver('webhook.due', 'payment.hinted');
      world.spawn('shopper fails', () => world.act('shopper fails', `${orderId}-1`, 'fail'));
      world.spawn('reconciler', () => actors.sweep('reconciler'));
      return () => endsIn(track, 'expired');
    },
  },
  {
    name: 'expiry while the shopper confirms (3-D Secure)',
    stock: [5],
    start: async (track) => {
      const { world } = track;
      await awaitingShopper(track);
      track.deliver('webhook.due', 'payment.hinted', 'expiry.requested');
      world.spawn('shopper confirms', () => world.act('shopper confirms', `${orderId}-1`, 'confirm'));
      reservationEnds(track);
      return () => endsIn(track, 'paid', 'expired');
    },
  },
  {
    name: 'reconciler during a run',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('before', () => actors.work('before', { orderId, resumed: false }));
      await world.idle();
      const part = { amount: { amount: 1_500, currency: 'KRW' as const }, reason: 'scratched' };
      world.spawn('refund', () => actors.refund('refund', orderId, part, 'refund-1'));
      await world.idle();
      world.now += 11 * minute;
      track.deliver('payment.hinted');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('reconciler', () => actors.sweep('reconciler'));
      return () => endsIn(track, 'paid');
    },
  },
  {
    name: 'cancel during the confirmation of a browser’s payment',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      const amount = { amount: 4_000, currency: 'KRW' as const };
      const paymentKey = await world.paymentKey(orderId, amount);
      world.spawn('pay', () =>
        actors.pay('pay', orderId, { provider: 'sandbox', paymentKey, amount }, 'pay-1'),
      );
      await world.idle();
      track.deliver('refund.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'two runs of the saga for one attempt',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('run A', () => actors.work('run A', { orderId, resumed: false }));
      world.spawn('run B', () => actors.work('run B', { orderId, resumed: false }));
      return () => endsIn(track, 'paid');
    },
  },
  {
    name: 'a resumed run during a run',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('resumed run', () => actors.work('resumed run', { orderId, resumed: true }));
      return () => endsIn(track, 'paid');
    },
  },
  {
    name: 'cancel during authorise',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      track.deliver('refund.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'cancel during capture',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      await track.sagaUpTo(orderId, '/captures');
      track.deliver('refund.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: true }));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'cancel during two runs',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('run A', () => actors.work('run A', { orderId, resumed: false }));
      world.spawn('run B', () => actors.work('run B', { orderId, resumed: true }));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'cancel while a capture fails',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_capture_fails');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => cancelled(track);
    },
  },
  {
    name: 'expiry during confirm',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.now = noon + 16 * minute;
      track.deliver('expiry.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('sweep', () => actors.sweep('sweep'));
      return () => endsIn(track, 'paid', 'expired');
    },
  },
  {
    name: 'expiry and cancel during confirm',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.now = noon + 16 * minute;
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('sweep', () => actors.sweep('sweep'));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      // Refused only if it had expired by then.
      return () => (refusal(track, 'cancel') === 'order-state' ? endsIn(track, 'expired') : cancelled(track));
    },
  },
  {
    name: 'payment against expiry',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      track.deliver('payment.requested');
      world.spawn('pay', () => actors.pay('pay', orderId, 'tok_approve', 'pay-1'));
      reservationEnds(track);
      return () => [
        ...answered(track, 'pay', undefined, 'order-state'),
        ...endsIn(track, 'paid', 'expired'),
        ...(refusal(track, 'pay') && status(track) === 'paid'
          ? ['paid although the payment was refused']
          : []),
      ];
    },
  },
  {
    name: 'second card while the first is unknown',
    stock: [5],
    // The first authorisation arrives after everybody has given it up.
    mishap: ({ actor, what }) =>
      actor === 'run' && what.endsWith('POST /authorizations') ? 'late' : undefined,
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      track.deliver('payment.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('second card', () => actors.pay('second card', orderId, 'tok_approve', 'pay-2'));
      return () => [...answered(track, 'second card', 'order-state'), ...endsIn(track, 'paid')];
    },
  },
  {
    name: 'second card after a decline that came late',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_timeout_then_declined');
      track.deliver('payment.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: false }));
      world.spawn('second card', () => actors.pay('second card', orderId, 'tok_approve', 'pay-2'));
      return () => [
        ...answered(track, 'second card', undefined, 'order-state'),
        ...endsIn(track, ...(refusal(track, 'second card') ? ['expired'] : ['paid'])),
      ];
    },
  },
  {
    name: 'two cards at once',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      track.deliver('payment.requested');
      world.spawn('card A', () => actors.pay('card A', orderId, 'tok_approve', 'pay-A'));
      world.spawn('card B', () => actors.pay('card B', orderId, 'tok_approve', 'pay-B'));
      return () => [
        ...endsIn(track, 'paid'),
        ...(refusal(track, 'card A') === 'order-state' || refusal(track, 'card B') === 'order-state'
          ? []
          : ['both cards were taken']),
      ];
    },
  },
  {
    name: 'refund during capture',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      await track.sagaUpTo(orderId, '/captures');
      track.deliver('refund.requested');
      world.spawn('run', () => actors.work('run', { orderId, resumed: true }));
      const part = { amount: { amount: 1_500, currency: 'KRW' as const }, reason: 'scratched' };
      world.spawn('refund', () => actors.refund('refund', orderId, part, 'refund-1'));
      return () => [...answered(track, 'refund', undefined, 'order-state'), ...endsIn(track, 'paid')];
    },
  },
  {
    name: 'two refunds and a cancel after capture',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('before', () => actors.work('before', { orderId, resumed: false }));
      await world.idle();
      const most = { amount: { amount: 2_500, currency: 'KRW' as const }, reason: 'scratched' };
      world.spawn('refund A', () => actors.refund('refund A', orderId, most, 'refund-A'));
      world.spawn('refund B', () => actors.refund('refund B', orderId, most, 'refund-B'));
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      return () => [
        ...answered(track, 'refund A', undefined, 'order-state'),
        ...answered(track, 'refund B', undefined, 'order-state'),
        ...cancelled(track),
      ];
    },
  },
  {
    name: 'price change between quote and order',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      world.spawn('order', () => actors.place('order', key, request(undefined)));
      changes(world, skuOnSale(1_200));
      return () => [
        ...answered(track, 'order', undefined, 'price-changed'),
        // At the quoted price or not at all.
        ...endsIn(track, refusal(track, 'order') ? 'none' : 'expired'),
        ...wrongTotal(track, 4_000),
      ];
    },
  },
  {
    name: 'product removal between quote and order',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      cart(world, 1);
      world.spawn('order', () => actors.place('order', key, request('tok_approve', { fromCart: true })));
      changes(world, skuOnSale(1_000, false));
      return () => [
        ...answered(track, 'order', undefined, 'out-of-stock'),
        ...endsIn(track, refusal(track, 'order') ? 'none' : 'paid'),
      ];
    },
  },
  {
    name: 'two tabs ordering one cart',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      cart(world, 2);
      const body = request(undefined, { quantity: 2, fromCart: true });
      world.spawn('tab A', () => actors.place('tab A', key, body));
      world.spawn('tab B', () => actors.place('tab B', 'key-2', body));
      return () => {
        const refused = ['tab A', 'tab B'].map((tab) => refusal(track, tab));
        return refused.filter((one) => one === 'cart-closed').length === 1 && refused.includes(undefined)
          ? []
          : [`the tabs were answered ${refused}`];
      };
    },
  },
  {
    name: 'a cart changed while it is ordered',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      cart(world, 1);
      world.spawn('order', () => actors.place('order', key, request(undefined, { fromCart: true })));
      world.spawn('change', () =>
        world.call(
          'change',
          'put a second cup into the cart',
          [{ place: 'cart CART#crt_1', write: true }],
          () => {
            const item = world.tables.all('cart')[0];
            if (item && item.orderId === undefined) cart(world, 2, 2);
          },
        ),
      );
      return () => [...answered(track, 'order', undefined, 'price-changed'), ...wrongTotal(track, 4_000)];
    },
  },
  {
    name: 'one request sent twice at once',
    stock: [5],
    start: async (track) => {
      const { world, actors } = track;
      cart(world, 1);
      const body = request('tok_approve', { fromCart: true });
      world.spawn('first', () => actors.place('first', key, body));
      world.spawn('again', () => actors.place('again', key, body));
      return () => {
        const [a, b] = ['first', 'again'].map((actor) => world.results.get(actor));
        if (!a || !b || !('value' in a) || !('value' in b)) return ['one of the two was refused'];
        return JSON.stringify(a.value.order) === JSON.stringify(b.value.order)
          ? []
          : ['two different answers'];
      };
    },
  },
  {
    name: 'two orders for the last unit',
    stock: [1],
    start: async (track) => {
      const { world, actors } = track;
      world.spawn('order A', () => actors.place('order A', key, request('tok_approve')));
      world.spawn('order B', () => actors.place('order B', 'key-2', request('tok_approve')));
      return () => oneIsOutOfStock(track);
    },
  },
  {
    name: 'two orders that need all of two shards',
    stock: [1, 1],
    start: async (track) => {
      const { world, actors } = track;
      const body = request('tok_approve', { quantity: 2 });
      world.spawn('order A', () => actors.place('order A', key, body));
      world.spawn('order B', () => actors.place('order B', 'key-2', body));
      return () => oneIsOutOfStock(track);
    },
  },
  {
    name: 'an order while the last unit comes back',
    stock: [1],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      world.spawn('order', () => actors.place('order', 'key-2', request('tok_approve')));
      return () => [
        ...cancelled(track),
        ...answered(track, 'order', undefined, 'out-of-stock'),
        ...(status(track, second) === (refusal(track, 'order') ? 'none' : 'paid')
          ? []
          : ['the second order is not paid']),
      ];
    },
  },
  {
    name: 'release against latch',
    stock: [1],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      // Whoever finds nothing closes the latch; whoever gives back opens it.
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      world.spawn('order', () => actors.place('order', 'key-2', request(undefined)));
      world.spawn('order too', () => actors.place('order too', 'key-3', request(undefined)));
      return () => [...cancelled(track), ...oneAtMost(track, 'order', 'order too')];
    },
  },
  {
    name: 'release against a closed latch',
    stock: [1, 0],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed();
      world.spawn('late', () => actors.place('late', 'key-3', request(undefined)));
      await world.idle();
      if (!isLatched(world)) world.wrongs.push('the latch did not close before the race');
      world.now = noon + 16 * minute;
      world.spawn('sweep', () => actors.sweep('sweep'));
      world.spawn('order', () => actors.place('order', 'key-2', request('tok_approve')));
      return () => [
        ...answered(track, 'order', undefined, 'out-of-stock'),
        ...(status(track, second) === (refusal(track, 'order') ? 'none' : 'paid')
          ? []
          : ['the second order is not paid']),
      ];
    },
  },
  {
    name: 'adjust against latch',
    stock: [1],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed('tok_approve');
      world.spawn('adjust', () => actors.adjust('adjust', sku, 1));
      world.spawn('order', () => actors.place('order', 'key-2', request('tok_approve')));
      return () => [
        ...answered(track, 'adjust', undefined),
        ...answered(track, 'order', undefined, 'out-of-stock'),
        ...endsIn(track, 'paid'),
      ];
    },
  },
  growth('grow against one draw', { order: key }),
  growth('grow against draw', { 'order A': key, 'order B': 'key-2' }),
  {
    name: 'an order ended by three at once',
    stock: [2],
    start: async (track) => {
      const { world, actors } = track;
      await track.placed(undefined, 2);
      world.now = noon + 16 * minute;
      world.spawn('cancel', () => actors.cancel('cancel', orderId));
      world.spawn('sweep A', () => actors.sweep('sweep A'));
      world.spawn('sweep B', () => actors.sweep('sweep B'));
      return () => [
        ...answered(track, 'cancel', undefined, 'order-state'),
        ...endsIn(track, 'cancelled', 'expired'),
      ];
    },
  },
];

/** The shopper is asked to confirm, and a minute passes. */
async function awaitingShopper(track: Track): Promise<void> {
  const { world, actors } = track;
  await track.placed('tok_requires_action');
  world.spawn('before', () => actors.work('before', { orderId, resumed: false }));
  await world.idle();
  world.now += minute;
}

/** Shards grow while orders draw; there is a unit for each of them during all of it. */
function growth(name: string, keys: Readonly<Record<string, string>>): Race {
  return {
    name,
    stock: [2],
    start: async (track) => {
      const { world, actors } = track;
      world.spawn('grow', () => actors.grow('grow', sku, 2));
      for (const [actor, own] of Object.entries(keys))
        world.spawn(actor, () => actors.place(actor, own, request(undefined)));
      return () => ['grow', ...Object.keys(keys)].flatMap((actor) => answered(track, actor, undefined));
    },
  };
}

/** The reservation ends at some moment of the race; the sweep comes after it. */
function reservationEnds({ world, actors }: Track): void {
  world.spawn('sweep', async () => {
    // Whatever tells the time: events, and the provider's book.
    const touches = [`order ORDER#${orderId}`, `provider ${chargeIdOf(`${orderId}-1`)}`].map((place) => ({
      place,
      write: true,
    }));
    await world.call('sweep', 'the reservation ends', touches, () => {
      world.now = noon + 16 * minute;
    });
    return actors.sweep('sweep');
  });
}

function changes(world: World, item: Record<string, unknown>): void {
  const touches = [{ place: `catalog ${skuKey(sku).pk}`, write: true }];
  world.spawn('change', () =>
    world.call('change', 'change the product', touches, () => put(world, 'catalog', item)),
  );
}

function wrongTotal(track: Track, total: number): string[] {
  const [placed] = eventsOf(track.world, orderId);
  return !placed || JSON.parse(placed.body).total === total
    ? []
    : ['another total than the shopper expected'];
}

function isLatched({ tables }: World): boolean {
  return tables.all('inventory').some(({ soldOut }) => soldOut);
}

/** Of two who want the last unit at most one gets it, and the other is told that there is none. */
function oneAtMost(track: Track, ...actors: readonly string[]): string[] {
  const refused = actors.map((actor) => refusal(track, actor));
  const fine = refused.every((one) => one === undefined || one === 'out-of-stock');
  return fine && refused.filter((one) => one === undefined).length <= 1
    ? []
    : [`they were answered ${refused}`];
}

function oneIsOutOfStock(track: Track): string[] {
  const refused = ['order A', 'order B'].map((actor) => refusal(track, actor));
  const ends = [status(track), status(track, second)].sort();
  return refused.includes('out-of-stock') && refused.includes(undefined) && ends.join() === 'none,paid'
    ? []
    : [`the two were answered ${refused} and ended ${ends}`];
}

/** Every order of a race, without a conflict and with one at every step that can have one. */
export const allOrders: Bounds = { runs: 20_000, samples: 10, conflicts: 1 };

/** Tries a race in every order of its steps. */
export async function runRace(
  race: Race,
  bounds: Bounds,
  defect: Defect = {},
  faults: SagaFaults = {},
): Promise<RaceFigures> {
  const ends: Record<string, number> = {};
  const known = new Map<string, { readonly wrong: readonly string[]; readonly told: string }>();
  const exploration = await explore(async () => {
    const { track, judge } = await setUp(race, defect, faults);
    return {
      gate: track.world.gate,
      changes: () => track.world.changes,
      finish: async () => {
        // What follows is the same for the same end of the race.
        const end = endOf(track);
        const seen = known.get(end) ?? (await rest(track, race, judge));
        known.set(end, seen);
        ends[seen.told] = (ends[seen.told] ?? 0) + 1;
        return seen.wrong;
      },
    };
  }, bounds);
  return { race: race.name, conflicts: bounds.conflicts, ...exploration, ends, endStates: known.size };
}

/** Lets the world come to rest, and judges it. */
async function rest(track: Track, race: Race, judge: () => readonly string[]) {
  const { world, actors, deliveries } = track;
  world.gate.mishap = () => undefined;
  world.heard = () => {};
  await untilQuiet(world, actors, deliveries);
  const units = race.stock.reduce((a, b) => a + b, 0);
  const other = status(track, second);
  const told = other === 'none' ? status(track) : `${status(track)} + ${other}`;
  return { wrong: [...wrongsAtRest(world, { units }), ...judge()], told };
}

async function setUp(race: Race, defect: Defect, faults: SagaFaults) {
  const world = new World(defect);
  const actors = new Actors(world, faults);
  const deliveries = new Deliveries(world, actors);
  world.paying = (call) => {
    const wrong = wrongMoneyCall(world, call);
    if (wrong) world.wrongs.push(wrong);
  };
  world.committed = () => {
    const wrong = wrongLatch(world);
    if (wrong && !world.wrongs.includes(wrong)) world.wrongs.push(wrong);
  };
  goods(world, race.stock);
  const track: Track = {
    world,
    actors,
    deliveries,
    deliver: (...types) => {
      world.heard = (event: StoredEvent) => {
        if (!types.includes(event.type)) return;
        for (const consumer of ['run-checkout', 'deliver-webhook'])
          if (isFor(actors.consumers[consumer]!.spec, event)) deliveries.begin(event, consumer);
      };
    },
    placed: async (token, quantity = 1) => {
      world.spawn('shopper', () => actors.place('shopper', key, request(token, { quantity })));
      await world.idle();
      return orderId;
    },
    sagaUpTo: async (id, what) => {
      world.gate.mishap = (step) => (step.what.includes(what) ? 'ends-before' : undefined);
      world.spawn('earlier run', () => actors.work('earlier run', { orderId: id, resumed: false }));
      await world.idle();
      world.gate.mishap = () => undefined;
    },
  };
  const judge = await race.start(track);
  world.gate.taken.length = 0;
  if (race.mishap) world.gate.mishap = race.mishap;
  return { track, judge };
}

function endOf({ world }: Track): string {
  const results = [...world.results].map(([actor, result]) => [
    actor,
    'error' in result ? result.error.name : JSON.stringify(result.value),
  ]);
  return JSON.stringify([world.told(), results.sort()]);
}
