import './quiet.ts';
import {
  BatchGetCommand,
  BatchWriteCommand,
  DynamoDBDocumentClient,
  PutCommand,
  TransactWriteCommand,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { admissionTable } from '../../functions/admission/table.infra.ts';
import { cartTable } from '../../functions/cart/table.infra.ts';
import { catalogTable } from '../../functions/catalog/table.infra.ts';
import { financeTable } from '../../functions/finance/table.infra.ts';
import { inventoryTable } from '../../functions/inventory/table.infra.ts';
import type { Sleep } from '../../functions/kernel/clock.ts';
import type { Money } from '../../functions/kernel/contract.ts';
import { type StoredEvent, storedEvent } from '../../functions/kernel/events.ts';
import { notificationTable } from '../../functions/notification/table.infra.ts';
import {
  captureRequested,
  orderPlaced,
  paymentRequested,
  refundRequested,
  voidRequested,
} from '../../functions/order/contract.ts';
import { orderTable } from '../../functions/order/table.infra.ts';
import { sandboxProvider } from '../../functions/payment/adapters/sandbox.ts';
import type { PaymentProvider } from '../../functions/payment/domain/provider.ts';
import { reportingTable } from '../../functions/reporting/table.infra.ts';
import { dynamoBook } from '../../functions/sandbox/adapters/dynamo-book.ts';
import { answerRequest, type SandboxRequest } from '../../functions/sandbox/app/answer-request.ts';
import { chargeIdOf, chargeIdOfCapture } from '../../functions/sandbox/domain/charge.ts';
import { chargeKey } from '../../functions/sandbox/keys.ts';
import { sandboxTable } from '../../functions/sandbox/table.infra.ts';
import type { Item } from './expressions.ts';
import { everybodyWaits, Gate, type Step } from './steps.ts';
import { type Change, Tables } from './tables.ts';
import { conflictOf, type Touch, throttleOf } from './writes.ts';

/** Where a run begins. */
export const noon = Date.parse('2026-11-22T03:00:00.000Z');

/** A change to the ports, to see whether the checks notice. */
export interface Defect {
  /** The command that is sent instead; undefined: none is, and the caller is told it worked. */
  readonly command?: (command: unknown) => unknown;
  readonly provider?: (provider: PaymentProvider) => PaymentProvider;
  /** The events that reach the bus. */
  readonly bus?: (event: StoredEvent) => readonly StoredEvent[];
}

/** An e-mail as it left. */
interface Letter {
  readonly to: string;
  readonly orderId: string;
  readonly type: string;
  readonly subject: string;
}

/** A request that changes the provider's book. */
export interface MoneyCall {
  readonly action: 'authorizations' | 'payments' | 'captures' | 'voids' | 'refunds';
  readonly chargeId: string;
  readonly body: Item;
}

const specs = [
  admissionTable,
  orderTable,
  cartTable,
  catalogTable,
  inventoryTable,
  financeTable,
  notificationTable,
  reportingTable,
  sandboxTable,
];
const apiKey = 'the-api-key-of-the-simulation';

const providerUrl = 'http://provider';

/** Longer than a caller of the provider waits for an answer, in milliseconds. */
const patience = 5_000;

/**
 * Everything outside the use cases: tables, provider, outbox, letterbox, clock. Each actor has ports of its own,
 * through the product's own adapters; every call of a port is a step that the scheduler takes.
 */
export class World {
  readonly gate = new Gate((step) =>
    step.what.startsWith('provider')
      ? new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      : Object.assign(new Error('socket hang up'), { name: 'TimeoutError' }),
  );
  readonly tables: Tables;
  /** What left the tables by their pipes, oldest first. */
  readonly outbox: StoredEvent[] = [];
  readonly letters: Letter[] = [];
  /** What actors ended with. */
  readonly results = new Map<string, { readonly value: any } | { readonly error: Error }>();
  /** What no run may do, whatever comes of it. */
  readonly wrongs: string[] = [];
  now = noon;
  /** How often anything has changed that a step can change. */
  changes = 0;
  /** Hears of events as they leave. */
  heard: (event: StoredEvent) => void = () => {};
  /** Hears of money calls before they take effect. */
  paying: (call: MoneyCall) => void = () => {};
  /** Hears of what a command changed in the tables, and whose it was. */
  committed: (changes: readonly Change[], actor: string | undefined) => void = () => {};
  /** Waiting takes no time unless a scheduler says otherwise: whatever may happen meanwhile, it tries. */
  sleep: Sleep = async () => {};
  random: (actor: string) => number = () => 0;
  /** Milliseconds by which an actor's clock is ahead of the world's. */
  skew: (actor: string) => number = () => 0;
  readonly #defect: Defect;

  constructor(defect: Defect = {}) {
    this.#defect = defect;
    this.tables = new Tables(
      specs,
      (changes, by) => {
        this.changes++;
        this.committed(changes, by);
        for (const { table, before, after } of changes) {
          const leaves = specs.some(({ name, events }) => name === table && events);
          if (leaves && after && !before && after.sk.startsWith('EVENT#')) this.#publish(after);
        }
      },
      this.clock,
    );
  }

  readonly clock = () => this.now;

  clockOf = (actor: string) => () => this.now + this.skew(actor);

  /** A text that is the same for worlds in which the same comes next. */
  told(): string {
    const left = this.outbox.map(({ id }) => id).sort();
    // Who sent an e-mail is a word drawn by chance, and nobody's business once it is sent.
    const contents = this.tables.contents().replace(/"owner":"[^"]+"/g, '');
    return JSON.stringify([contents, this.now, this.wrongs, this.letters, left]);
  }

  /** Begins an actor's work; what comes of it is in `results` under its name. */
  spawn(actor: string, work: () => Promise<unknown>): void {
    work().then(
      (value) => this.results.set(actor, { value }),
      (error) => this.results.set(actor, { error }),
    );
  }

  /** Takes steps in the order in which they were asked for, those that arrive late last, until nobody waits. */
  async idle(): Promise<void> {
    await everybodyWaits();
    for (;;) {
      const { pending } = this.gate;
      const step = pending.find(({ actor }) => !actor.endsWith('~late')) ?? pending[0];
      if (!step) return;
      await this.gate.take(step.id);
    }
  }

  /** A document client whose commands are the actor's steps; without an actor they take effect at once. */
  documents(actor?: string): DynamoDBDocumentClient {
    const client = Object.create(DynamoDBDocumentClient.prototype);
    client.send = async (sent: unknown) => {
      const command = this.#defect.command ? this.#defect.command(sent) : sent;
      if (command === undefined) return {};
      if (actor === undefined) return this.tables.execute(command);
      return this.gate.call(this.#commandStep(actor, command));
    };
    return client;
  }

  /** The provider over its real adapter and its real rules; an HTTP exchange is one step. */
  provider(actor: string): PaymentProvider {
    const request = (url: string, init: RequestInit) =>
      this.gate.call<Response>(this.#exchangeStep(actor, url, init));
    const provider = sandboxProvider(providerUrl, async () => [apiKey], request);
    return this.#defect.provider ? this.#defect.provider(provider) : provider;
  }

  /** What the shopper does on the provider's own page, where the bank asks for a confirmation. */
  act(actor: string, reference: string, deed: 'confirm' | 'fail'): Promise<number> {
    const id = chargeIdOf(reference);
    const request = { method: 'POST', path: `/authorizations/${id}/${deed}`, query: {}, body: '' };
    const touches = [{ place: `provider ${id}`, write: true }];
    const run = async () => (await this.#sandbox(request)).status;
    return this.gate.call<number>({ actor, what: `provider page ${deed}`, touches, transaction: false, run });
  }

  /** What the provider's code in the shopper's browser does: answers a payment key for the server to confirm. */
  async paymentKey(orderId: string, amount: Money, token = 'tok_approve'): Promise<string> {
    const body = JSON.stringify({ orderId, ...amount, token });
    const answer = await this.#sandbox({ method: 'POST', path: '/payment-keys', query: {}, body });
    return JSON.parse(answer.body).paymentKey;
  }

  /** The provider's settlement file of a day; undefined while the day is not over. */
  settlementOf(actor: string, date: string): Promise<Uint8Array | undefined> {
    const request = { method: 'GET', path: `/settlements/${date}`, query: {}, body: '' };
    const touches = [{ place: 'provider', write: false }];
    const run = async () => {
      const { status, body } = await this.#sandbox({ ...request, authorization: `Bearer ${apiKey}` });
      if (status === 404) return undefined;
      if (status !== 200) throw new Error(`the provider answered ${status}`);
      return Buffer.from(body);
    };
    return this.gate.call({ actor, what: `provider GET ${request.path}`, touches, transaction: false, run });
  }

  /** Any other call of a port, for example to send an e-mail. */
  call<T>(actor: string, what: string, touches: readonly Touch[], run: () => T): Promise<T> {
    const done = () => {
      if (touches.some(({ write }) => write)) this.changes++;
      return run();
    };
    return this.gate.call<T>({ actor, what, touches, transaction: false, run: done });
  }

  #publish(item: Item): void {
    const left = z.parse(storedEvent, item);
    for (const event of this.#defect.bus ? this.#defect.bus(left) : [left]) {
      this.outbox.push(event);
      this.heard(event);
    }
  }

  #commandStep(actor: string, command: any): Omit<Step, 'id'> {
    const touches = this.tables.touches(command);
    const kind = command.constructor.name.replace('Command', '');
    const what = touches.map(({ place, sk = '' }) => `${place} ${sk}`.trim()).join(', ');
    const transaction = command instanceof TransactWriteCommand;
    const done = { at: -1, answer: undefined as unknown };
    const run = () => {
      // A transaction that is sent once more with its token is not done again.
      if (transaction && done.at >= 0) return done.answer;
      done.answer = this.tables.execute(command, actor);
      done.at = this.now;
      return done.answer;
    };
    const writes = touches.some(({ write }) => write);
    const judged = writes ? intentsIn(command) : [];
    return {
      actor,
      what: `${kind} ${what}`,
      touches,
      ...(judged.length > 0 && { judged }),
      transaction,
      run,
      throttle: () => throttleOf(command),
      ...(isBatch(command) && { partly: () => this.#half(command, actor) }),
      ...(writes && { lose: (contended: (touch: Touch) => boolean) => conflictOf(command, contended) }),
    };
  }

  /** A batch of which some is left undone. */
  #half(command: BatchGetCommand | BatchWriteCommand, actor: string): unknown {
    const [[table, asked] = ['', undefined]] = Object.entries<any>(command.input.RequestItems ?? {});
    const list: readonly unknown[] = asked.Keys ?? asked;
    const split = (from: number, to: number) => {
      const part = list.slice(from, to);
      return { [table]: asked.Keys ? { ...asked, Keys: part } : part } as any;
    };
    const done = Math.floor(list.length / 2);
    const left = split(done, list.length);
    const Batch = command instanceof BatchGetCommand ? BatchGetCommand : BatchWriteCommand;
    const answer: any =
      done === 0 ? {} : this.tables.execute(new Batch({ RequestItems: split(0, done) }), actor);
    return command instanceof BatchGetCommand
      ? { Responses: answer.Responses ?? {}, UnprocessedKeys: left }
      : { UnprocessedItems: left };
  }

  #exchangeStep(actor: string, target: string, init: RequestInit): Omit<Step, 'id'> {
    const { pathname: path, searchParams } = new URL(target);
    const method = init.method ?? 'GET';
    const text = String(init.body ?? '');
    const money = method === 'POST' ? moneyCallOf(path, JSON.parse(text)) : undefined;
    const chargeId = money?.chargeId ?? chargeIdOf(searchParams.get('reference') ?? '');
    const run = async () => {
      if (money) this.paying(money);
      const query = Object.fromEntries(searchParams);
      const { authorization, 'idempotency-key': idempotencyKey } = init.headers as Record<string, string>;
      const answer = await this.#sandbox({ method, path, query, authorization, idempotencyKey, body: text });
      if (answer.waited >= patience) throw new DOMException('The operation timed out', 'TimeoutError');
      return { status: answer.status, text: async () => answer.body };
    };
    const reference =
      money?.body.reference ??
      this.tables.item(sandboxTable.name, chargeKey(chargeId).pk, chargeKey(chargeId).sk)?.reference;
    const touches = [{ place: `provider ${chargeId}`, write: money !== undefined }];
    const judged =
      money && intentsOf[money.action].map((type) => intentTouch(orderOf(String(reference)), type, false));
    const what = `provider ${method} ${path}`;
    return { actor, what, touches, ...(judged && { judged }), transaction: false, run };
  }

  /** The provider's own rules on its own book, at one moment; `waited` is for how long it held its answer back. */
  async #sandbox(
    request: Partial<SandboxRequest> & Pick<SandboxRequest, 'method' | 'path' | 'query' | 'body'>,
  ) {
    let waited = 0;
    const answer = await answerRequest({
      book: dynamoBook(this.documents(), sandboxTable.name, this.clock),
      knows: async (given) => given === apiKey,
      baseUrl: providerUrl,
      newWord: () => `word-${this.tables.all(sandboxTable.name).length}`,
      now: this.clock,
      sleep: async (milliseconds) => {
        waited += milliseconds;
      },
      random: () => 0,
    })({ authorization: undefined, idempotencyKey: undefined, ...request });
    return { ...answer, waited };
  }
}

/** The events that must be there before a money call reaches the provider. */
export const intentsOf: Readonly<Record<MoneyCall['action'], readonly string[]>> = {
  authorizations: [orderPlaced.type, paymentRequested.type],
  // A payment authorised in the browser is charged by its confirmation.
  payments: [orderPlaced.type, paymentRequested.type],
  captures: [captureRequested.type],
  voids: [voidRequested.type],
  refunds: [refundRequested.type],
};
const intents = new Set(Object.values(intentsOf).flat());

function intentTouch(orderId: string, type: string, write: boolean): Touch {
  return { place: `${type} of ${orderId}`, write };
}

/** What a command stores of the events by which money calls are judged. */
function intentsIn(command: unknown): Touch[] {
  const puts =
    command instanceof TransactWriteCommand
      ? (command.input.TransactItems ?? []).flatMap(({ Put }) => Put ?? [])
      : command instanceof PutCommand
        ? [command.input]
        : [];
  return puts.flatMap(({ TableName, Item }) =>
    TableName === orderTable.name && intents.has(Item?.type)
      ? [intentTouch(Item!.orderId, Item!.type, true)]
      : [],
  );
}

function isBatch(command: unknown): command is BatchGetCommand | BatchWriteCommand {
  return command instanceof BatchGetCommand || command instanceof BatchWriteCommand;
}

/** The order of our reference at the provider: `<orderId>-<attempt>`. */
export function orderOf(reference: string): string {
  return reference.replace(/-\d+$/, '');
}

function moneyCallOf(path: string, body: Item): MoneyCall {
  const [, id = '', action] =
    /^\/(?:authorizations|captures)\/(\w+)\/(captures|voids|refunds)$/.exec(path) ?? [];
  if (action === undefined) {
    const made = path === '/payments' ? 'payments' : 'authorizations';
    return { action: made, chargeId: chargeIdOf(String(body.reference)), body };
  }
  const chargeId = action === 'refunds' ? chargeIdOfCapture(id) : id;
  return { action: action as MoneyCall['action'], chargeId, body };
}
