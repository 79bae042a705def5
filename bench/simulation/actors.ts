import * as z from 'zod/mini';
import { addEntry } from '../../functions/finance/adapters/journal-table.ts';
import { postEntry } from '../../functions/finance/app/post-entry.ts';
import { journal } from '../../functions/finance/handlers/journal.infra.ts';
import { financeTable } from '../../functions/finance/table.infra.ts';
import { stockTable } from '../../functions/inventory/adapters/stock-table.ts';
import { adjustStock } from '../../functions/inventory/app/adjust-stock.ts';
import { raiseShards } from '../../functions/inventory/app/set-shards.ts';
import { receive, type StoredEvent } from '../../functions/kernel/events.ts';
import { bucketOf } from '../../functions/kernel/ids.ts';
import { mailLog } from '../../functions/notification/adapters/mail-log.ts';
import { sendMail } from '../../functions/notification/app/send-mail.ts';
import { sendMail as sendMailSpec } from '../../functions/notification/handlers/send-mail.infra.ts';
import { notificationTable } from '../../functions/notification/table.infra.ts';
import { dynamoDueOrders } from '../../functions/order/adapters/due-orders.ts';
import { dynamoEventStore } from '../../functions/order/adapters/event-store.ts';
import { type Memories, memoriesOf, placementPorts } from '../../functions/order/adapters/placement-ports.ts';
import { cancelOrder, payOrder } from '../../functions/order/app/change-own-order.ts';
import { placeOrder } from '../../functions/order/app/place-order.ts';
import { ownOrder } from '../../functions/order/app/read-orders.ts';
import { receiveWebhook } from '../../functions/order/app/receive-webhook.ts';
import { recordOutcome } from '../../functions/order/app/record-outcome.ts';
import { type RefundRequest, refundOrder } from '../../functions/order/app/refund-order.ts';
import { runCheckout } from '../../functions/order/app/run-checkout.ts';
import { type DueOrders, sweepDue } from '../../functions/order/app/sweep-due.ts';
import { firstRuns, type PlaceOrderBody } from '../../functions/order/contract.ts';
import type { PaymentMeans } from '../../functions/order/domain/decide.ts';
import { runCheckout as runCheckoutSpec } from '../../functions/order/handlers/run-checkout.infra.ts';
import { dueBuckets } from '../../functions/order/keys.ts';
import { callProvider } from '../../functions/payment/app/call-provider.ts';
import { providerCommand } from '../../functions/payment/contract.ts';
import { webhookVerifiers } from '../../functions/payment/published.ts';
import { addFacts } from '../../functions/reporting/adapters/row-table.ts';
import { followOrder } from '../../functions/reporting/app/follow-order.ts';
import { followOrder as followOrderSpec } from '../../functions/reporting/handlers/follow-order.infra.ts';
import { reportingTable } from '../../functions/reporting/table.infra.ts';
import { deliverWebhook } from '../../functions/sandbox/app/deliver-webhook.ts';
import { deliverWebhook as deliverWebhookSpec } from '../../functions/sandbox/handlers/deliver-webhook.infra.ts';
import type { FunctionSpec } from '../../lib/constructs/function-spec.ts';
import { type Definition, type Ended, type StateFault, sourceOf, type Tasks, Workflow } from './workflow.ts';
import type { World } from './world.ts';

export const customerId = 'customer-1';
const webhookSecret = 'the-webhook-secret-of-the-simulation';
export const timeZone = 'Asia/Seoul';
const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';

/** What goes wrong in the saga and around it. */
export interface SagaFaults {
  /** The saga; that of the source file unless told. */
  readonly saga?: Definition;
  /** What befalls the states of a run. */
  readonly state?: StateFault;
  /** Runs the saga in another way than within the worker's own steps. */
  readonly run?: (actor: string, actors: Actors, command: unknown) => Promise<Ended>;
  /** Takes a webhook in the place of the product. */
  readonly webhook?: (actors: Actors, actor: string, reference: string) => Promise<void>;
  /** Changes what a Task state's function is, to see whether the checks notice. */
  readonly tasks?: (tasks: Tasks, world: World, actor: string) => Tasks;
  /** Remembers otherwise than the product from one order to the next. */
  readonly memories?: typeof memoriesOf;
}

/**
 * The product's use cases, wired as its handlers wire them; each answers the work of one actor. `actor` names whose
 * steps they are.
 */
export class Actors {
  readonly #world: World;
  readonly #faults: SagaFaults;
  readonly #environmentOf: (actor: string) => string;
  /** What each environment that places orders remembers. */
  readonly #memories = new Map<string, Memories>();

  /** @param environmentOf where an actor places an order; unless told it is in nobody else's environment */
  constructor(world: World, faults: SagaFaults = {}, environmentOf = (actor: string) => actor) {
    this.#world = world;
    this.#faults = faults;
    this.#environmentOf = environmentOf;
  }

  place = (
    actor: string,
    idempotencyKey: string,
    body: PlaceOrderBody,
    customer = customerId,
    admissions: readonly string[] = [],
  ) => {
    const environment = this.#environmentOf(actor);
    const now = this.#world.clockOf(environment);
    const memories = this.#memories.get(environment) ?? (this.#faults.memories ?? memoriesOf)(now);
    this.#memories.set(environment, memories);
    const ports = placementPorts(
      this.#world.documents(actor),
      {
        ORDER_TABLE: 'order',
        CART_TABLE: 'cart',
        CATALOG_TABLE: 'catalog',
        INVENTORY_TABLE: 'inventory',
        ADMISSION_TABLE: 'admission',
      },
      { ...this.#time(actor), now },
      memories,
    );
    const request = { idempotencyKey, body, locale: 'en' as const, traceparent, admissions };
    return placeOrder(ports)({ customerId: customer, ...request });
  };

  pay = (
    actor: string,
    orderId: string,
    by: string | PaymentMeans,
    idempotencyKey: string,
    customer = customerId,
  ) => {
    const means = typeof by === 'string' ? { method: 'card' as const, token: by } : by;
    return payOrder(this.#change(actor))({ customerId: customer, orderId }, means, idempotencyKey);
  };

  cancel = (actor: string, orderId: string, customer = customerId) =>
    cancelOrder(this.#change(actor))({ customerId: customer, orderId });

  read = (actor: string, orderId: string, customer = customerId) =>
    ownOrder({ load: this.#change(actor).store.load }, customer, orderId);

  refund = (actor: string, orderId: string, request: RefundRequest, idempotencyKey: string) =>
    refundOrder(this.#change(actor))(orderId, request, idempotencyKey);

  /** An operator adds units of a SKU. */
  adjust = (actor: string, sku: string, adjust: number) => {
    const request = { sku, adjust, reason: 'found', by: 'operator', idempotencyKey: actor };
    return adjustStock({ ...this.#stock(actor), ...this.#time(actor) })(request);
  };

  /** An operator, or the heat, gives a SKU more shards. */
  grow = (actor: string, sku: string, count: number) =>
    raiseShards({ ...this.#stock(actor), ...this.#time(actor) }, sku, () => count);

  /** One round of the schedule. Buckets without an order are passed over without a step. */
  sweep = (actor: string) => sweepDue({ ...this.#change(actor), due: this.#due(actor) })();

  /** The worker of an event, or of an order that is taken up again. */
  work = (actor: string, occasion: { orderId: string; resumed: boolean }): Promise<void> => {
    const { run, saga = sourceOf('checkout'), state } = this.#faults;
    const start = (command: unknown) =>
      run ? run(actor, this, command) : new Workflow(saga, this.tasks(actor), state).run({ command });
    return runCheckout({ ...this.#change(actor), run: start })(occasion);
  };

  /** The functions of the saga's Task states, as their handlers are. */
  tasks = (actor: string): Tasks => {
    const call = callProvider({ provider: this.#world.provider(actor), now: this.#world.clockOf(actor) });
    const record = recordOutcome(this.#change(actor));
    const tasks: Tasks = {
      'call-provider': (command) => call(z.parse(providerCommand, command)),
      'record-outcome': async ({ command, outcome }) => ({ command: await record(command, outcome) }),
    };
    return this.#faults.tasks ? this.#faults.tasks(tasks, this.#world, actor) : tasks;
  };

  /** The provider tells us of a change of a charge, by signed webhooks, and we take them. */
  tell = (actor: string, due: { chargeId: string; reference: string; change: number }): Promise<void> => {
    if (this.#faults.webhook) return this.#faults.webhook(this, actor, due.reference);
    const verifiers = webhookVerifiers({ sandbox: async () => [webhookSecret] });
    const receive = receiveWebhook({ ...this.#change(actor), verifiers });
    const post = async (headers: Readonly<Record<string, string>>, body: string) => {
      await receive('sandbox', { headers, body });
      return 200;
    };
    return deliverWebhook({ post, secret: async () => webhookSecret, now: this.#world.clockOf(actor) })(due);
  };

  /** What each consumer does with an event, by its function's name. */
  consumers: Readonly<Record<string, Consumer>> = {
    'run-checkout': {
      spec: runCheckoutSpec,
      consume: async (actor, { orderId, type }, receives) =>
        this.work(actor, { orderId, resumed: receives > 1 || !firstRuns.includes(type) }),
    },
    'send-mail': {
      spec: sendMailSpec,
      consume: (actor, event, receives) => this.#mail(actor, event, receives),
    },
    'deliver-webhook': {
      spec: deliverWebhookSpec,
      consume: (actor, event) => this.tell(actor, JSON.parse(event.body)),
    },
    journal: { spec: journal, consume: (actor, event, receives) => this.#post(actor, event, receives) },
  };

  /** With those that no money and no stock depends on: explored races do without them. */
  everyConsumer: Readonly<Record<string, Consumer>> = {
    ...this.consumers,
    'follow-order': {
      spec: followOrderSpec,
      consume: (actor, event, receives) =>
        followOrder({ addFacts: addFacts(this.#world.documents(actor), reportingTable.name) })(
          received(followOrderSpec, event, receives),
        ),
    },
  };

  #stock(actor: string) {
    return stockTable(this.#world.documents(actor), 'inventory', this.#world.clockOf(actor));
  }

  #mail(actor: string, event: StoredEvent, receives: number): Promise<void> {
    const world = this.#world;
    return sendMail({
      now: world.clockOf(actor),
      sleep: world.sleep,
      timeZone,
      mailLog: mailLog(world.documents(actor), notificationTable.name),
      addressOf: (id) => world.call(actor, `address of ${id}`, [], () => `${id}@example.org`),
      send: ({ to, orderId, type, subject }) =>
        world.call(actor, `mail ${type}`, [{ place: `mail ${orderId}`, write: true }], () => {
          world.letters.push({ to, orderId, type, subject });
          return { accepted: true as const, messageId: `message-${world.letters.length}` };
        }),
    })(received(sendMailSpec, event, receives));
  }

  #post(actor: string, event: StoredEvent, receives: number): Promise<void> {
    const add = addEntry(this.#world.documents(actor), financeTable.name);
    return postEntry({ timeZone, add })(received(journal, event, receives));
  }

  #due(actor: string): DueOrders {
    const due = dynamoDueOrders(this.#world.documents(actor), 'order');
    const ids = this.#world.tables.all('order').flatMap(({ orderId }) => orderId ?? []);
    const buckets = new Set(ids.map((id) => bucketOf(id, dueBuckets)));
    return {
      sweptTo: due.sweptTo,
      dueBetween: async (bucket, from, to) => (buckets.has(bucket) ? due.dueBetween(bucket, from, to) : []),
      moveTo: async (all, to) => {
        const own = all.filter((bucket) => buckets.has(bucket));
        if (own.length > 0) await due.moveTo(own, to);
      },
      waiting: async (bucket) => (buckets.has(bucket) ? due.waiting(bucket) : []),
      keep: due.keep,
      forget: due.forget,
    };
  }

  #change(actor: string) {
    const store = dynamoEventStore(this.#world.documents(actor), {
      order: 'order',
      inventory: 'inventory',
      admission: 'admission',
    });
    return { store, ...this.#time(actor) };
  }

  #time(actor: string) {
    const { sleep, random } = this.#world;
    return { now: this.#world.clockOf(actor), sleep, random: () => random(actor) };
  }
}

interface Consumer {
  readonly spec: FunctionSpec;
  readonly consume: (actor: string, event: StoredEvent, receives: number) => Promise<void>;
}

/** Whether the rule of the consumer lets the event through. */
export function isFor({ trigger }: FunctionSpec, event: StoredEvent): boolean {
  return 'events' in trigger && trigger.events.some(({ type }) => type === event.type);
}

/** The event as its consumer gets it, after the way through the envelope. */
function received({ trigger }: FunctionSpec, event: StoredEvent, receives: number): any {
  if (!('events' in trigger)) throw new Error('no consumer of events');
  const source = trigger.events.find(({ type }) => type === event.type)?.source;
  const envelope = { source, 'detail-type': event.type, detail: event };
  return receive(trigger.events, JSON.stringify(envelope), receives);
}
