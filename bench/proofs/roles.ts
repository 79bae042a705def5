import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Resource } from '../../local/types.ts';
import {
  announceDrop,
  busyQueues,
  type Goods,
  moveClockTo,
  openStore,
  order,
  type Store,
  sell,
  settled,
  totalOf,
  until,
} from '../store.ts';

export interface RoleFigures {
  /** What lost its role, by kind. */
  readonly tried: Readonly<Record<string, number>>;
  /** Of those, what went on as if nothing were missing. */
  readonly unnoticed: readonly string[];
}

/** Something whose permissions can be taken away: by the ARN that the evaluator knows it under. */
interface Holder {
  readonly kind: 'function' | 'workflow' | 'pipe' | 'schedule' | 'rule';
  readonly name: string;
  readonly arn: string;
}

/** A use of some part of the store, which needs nothing of what others have done. */
type Use = () => Promise<unknown>;

/**
 * Takes the role of every function, workflow, pipe and schedule away in turn, and every rule's permission to deliver;
 * then uses the store. Each time a call must be refused, and that call must be one of theirs. The store is first used
 * with all roles in place, to see who takes part in what: each is then tried where it was seen.
 */
export async function roles(report: (line: string) => void = () => {}): Promise<RoleFigures> {
  const store = await openStore({ quiet: true });
  try {
    const uses = await usesOf(store);
    const holders = holdersOf(store);
    const seen: ReadonlySet<string>[] = [];
    for (const use of uses) seen.push(await whoTakesPart(store, holders, use));
    const unnoticed: string[] = [];
    for (const holder of holders) {
      const [its, others] = [true, false].map((part) =>
        uses.filter((_, at) => seen[at]!.has(holder.arn) === part),
      );
      // A look that a cold environment gave up is taken again by a warm one.
      const noticed = await isNoticed(store, holder, [...its!, ...its!, ...others!]);
      report(`${noticed ? 'refused ' : 'UNNOTICED'} ${holder.kind} ${holder.name}`);
      if (!noticed) unnoticed.push(`${holder.kind} ${holder.name}`);
    }
    const tried: Record<string, number> = {};
    for (const { kind } of holders) tried[kind] = (tried[kind] ?? 0) + 1;
    return { tried, unnoticed };
  } finally {
    await store.stop();
  }
}

function holdersOf({ cloud: { runtime } }: Store): Holder[] {
  const of = (kind: Holder['kind'], type: string, arnOf: (resource: Resource) => string): Holder[] =>
    runtime.resources(type).map((resource) => ({ kind, name: resource.logicalId, arn: arnOf(resource) }));
  return [
    ...of('function', 'AWS::Lambda::Function', ({ properties }) => properties.Role),
    ...of('workflow', 'AWS::StepFunctions::StateMachine', ({ properties }) => properties.RoleArn),
    ...of('pipe', 'AWS::Pipes::Pipe', ({ properties }) => properties.RoleArn),
    ...of('schedule', 'AWS::Scheduler::Schedule', ({ properties }) => properties.Target.RoleArn),
    ...of('rule', 'AWS::Events::Rule', ({ arn }) => arn),
  ];
}

/** The ARNs of those who were asked for a permission while the store was used, and until it had come to rest. */
async function whoTakesPart(store: Store, holders: readonly Holder[], use: Use): Promise<Set<string>> {
  const seen = new Set<string>();
  const forget = listen(store, holders, ({ arn }) => seen.add(arn));
  await use();
  await until('all queues are empty', async () => (await busyQueues(store)).length === 0);
  forget();
  return seen;
}

async function isNoticed(store: Store, holder: Holder, uses: readonly Use[]): Promise<boolean> {
  const refused = Promise.withResolvers<true>();
  const forget = listen(store, [holder], (_, allowed) => allowed || refused.resolve(true));
  const { runtime } = store.cloud;
  const giveBack = runtime.iam.revoke(holder.arn);
  // Nobody lives on what a warm function remembers.
  if (holder.kind === 'function')
    await runtime.call('lambda', 'Retire', { Role: holder.arn }, { kind: 'operator' });
  try {
    for (const use of uses) {
      // What works behind the API may be refused only after the use itself has ended, well or not.
      const used = use().catch(() => undefined);
      const tooLate = used.then(() => pause(patienceMs, false));
      if (await Promise.race([refused.promise, tooLate])) return true;
    }
    return false;
  } finally {
    giveBack();
    forget();
  }
}

/** Tells whenever one of the holders is allowed or refused something. */
function listen(
  store: Store,
  holders: readonly Holder[],
  tell: (holder: Holder, allowed: boolean) => void,
): () => void {
  const byArn = new Map(holders.map((holder) => [holder.arn, holder]));
  const onlyLogs = new Set(holders.filter(({ arn }) => mayOnlyLog(store, arn)).map(({ arn }) => arn));
  return store.cloud.runtime.iam.onDecision(({ caller, action, allowed }) => {
    const arn = caller.kind === 'role' ? caller.roleArn : caller.kind === 'service' ? caller.sourceArn : '';
    const holder = byArn.get(arn);
    // Losing its log is what everybody notices; who may do more must miss that.
    if (holder && (!action.startsWith('logs:') || onlyLogs.has(arn))) tell(holder, allowed);
  });
}

/** Whether the role's policies hold nothing but logs and traces. */
function mayOnlyLog({ cloud: { runtime } }: Store, roleArn: string): boolean {
  const role = runtime.find(roleArn);
  const actions = runtime
    .resources('AWS::IAM::Policy')
    .filter(({ properties }) => role !== undefined && properties.Roles.includes(role.ref))
    .flatMap(({ properties }) => properties.PolicyDocument.Statement)
    .flatMap(({ Action }) => Action as string | string[]);
  return actions.length > 0 && actions.every((action) => /^(logs|xray):/.test(action));
}

/** How long a refusal may take that comes behind the API, milliseconds. */
const patienceMs = 8_000;

/** Milliseconds. */
const day = 86_400_000;
/** One counter of arrivals: the days by which the clock is moved here are counted second by second. */
const dropTerms = { admission: { rate: 10 }, fallbackPerSecond: 1, arrivalShards: 1 };

async function usesOf(store: Store): Promise<Use[]> {
  const key = () => ({ 'idempotency-key': randomUUID() });
  const any = { 'if-match': '*' };
  const { runtime } = store.cloud;
  const { id: openDrop, opensAt } = await announceDrop(store, (await sell(store, { stock: 5 })).sku, {
    ...dropTerms,
    closesAt: runtime.clock.now() + 30 * day,
  });
  await moveClockTo(store, opensAt);
  const shopper = await store.account();
  const finance = await store.account('finance');
  const operator = { token: await store.operator() };
  const goods = await sell(store, { stock: 5_000, shards: 2 });
  const lines = [{ sku: goods.sku, quantity: 1 }];
  const total = await totalOf(store, lines);
  const get = (path: string, { token }: { token?: string } = {}) =>
    store.request('GET', path, token ? { token } : {});
  const buy = async () => (await order(store, { ...shopper, lines, total, payWith: null })).body.id as string;
  const schedules = runtime.resources('AWS::Scheduler::Schedule');
  const startsWorkflow = ({ properties }: { properties: any }) => /stateMachine/.test(properties.Target.Arn);
  const run = ({ ref }: { ref: string }, daysAgo = 0) => {
    const time = new Date(runtime.clock.now() - daysAgo * day).toISOString();
    const ended = store.request('POST', `/_local/schedules/${ref}/run`, { json: { time } });
    // A drop that is open is conducted for a minute.
    return Promise.race([ended, pause(patienceMs)]);
  };
  // Finance takes day after day: the first use begins so far back that there is one for every other.
  let daysAgo = 200;
  return [
    () => store.account('finance'),
    async () => {
      const { token } = await store.account();
      await store.request('POST', '/v1/account/sign-out', { token, json: { everywhere: true } });
    },
    () =>
      Promise.all(
        ['health', 'openapi.json', 'nowhere', 'products', 'categories'].map((path) => get(`/v1/${path}`)),
      ),
    () => sell(store, { stock: 50, shards: 2 }),
    () =>
      store.request('POST', '/v1/admin/products/import', {
        ...operator,
        headers: { 'content-type': 'text/csv' },
        text: `id,name,description,category,style,price\n${randomUUID()},Cup,Plain,housewares,kitchen,5.00\n`,
      }),
    () => changeGoods(store, goods, operator),
    () => holdDrop(store, openDrop, shopper),
    async () => {
      const { body } = await store.request('POST', '/v1/carts', { json: {} });
      const line = `/v1/carts/${body.id}/lines/${goods.sku}`;
      await store.request('PUT', line, { headers: any, json: { quantity: 1 } });
      await get(`/v1/carts/${body.id}`);
      await store.request('DELETE', line, { headers: any });
      await store.request('POST', `/v1/carts/${body.id}/claim`, { ...shopper, json: {} });
    },
    async () => {
      const orderId = await buy();
      await Promise.all([
        get('/v1/orders', shopper),
        get(`/v1/orders/${orderId}`, shopper),
        get(`/v1/orders/${orderId}/events`, shopper),
        get('/v1/admin/orders', operator),
        get(`/v1/admin/orders/${orderId}`, operator),
      ]);
      await store.request('POST', `/v1/orders/${orderId}/cancel`, { ...shopper, headers: key() });
    },
    async () => {
      const orderId = await buy();
      const pay = { method: 'card', token: 'tok_approve' };
      await store.request('POST', `/v1/orders/${orderId}/payments`, {
        ...shopper,
        headers: key(),
        json: pay,
      });
      await settled(store, shopper.token, orderId, { payment: 'captured' }, patienceMs);
      for (const [step, json] of [['fulfil'], ['deliver'], ['refunds', { reason: 'damaged' }]] as const) {
        const path = `/v1/admin/orders/${orderId}/${step}`;
        await store.request('POST', path, { ...operator, headers: key(), json: json ?? {} });
      }
      await settled(store, shopper.token, orderId, { payment: 'refunded' }, patienceMs);
    },
    ...schedules.filter((schedule) => !startsWorkflow(schedule)).map((schedule) => () => run(schedule)),
    async () => {
      await Promise.all(schedules.filter(startsWorkflow).map((schedule) => run(schedule, daysAgo)));
      daysAgo = 2;
      const { body } = await get('/v1/finance/exports', finance);
      if (body?.items?.[0]) await get(`/v1/finance/exports/${body.items[0].date}`, finance);
    },
  ];
}

type Account = { token: string };

function changeGoods(store: Store, { productId, sku }: Goods, operator: Account): Promise<unknown> {
  const any = { 'if-match': '*' };
  return Promise.all([
    store.request('GET', `/v1/products/${productId}`),
    store.request('PATCH', `/v1/admin/products/${productId}`, {
      ...operator,
      headers: any,
      json: { style: 'tea' },
    }),
    store.request('GET', `/v1/admin/stock/${sku}`, operator),
    store.request('PUT', `/v1/admin/stock/${sku}`, {
      ...operator,
      headers: { 'idempotency-key': randomUUID(), ...any },
      json: { adjust: 1, reason: 'found one' },
    }),
  ]);
}

/** A drop that is announced, changed and called off, and a ticket of the open one. */
async function holdDrop(store: Store, openDrop: string, shopper: Account): Promise<void> {
  const operator = { token: await store.operator() };
  const { sku } = await sell(store, { stock: 5 });
  const opensAt = store.cloud.runtime.clock.now() + day;
  const { id: dropId } = await announceDrop(store, sku, { ...dropTerms, opensAt, closesAt: opensAt + day });
  const change = (json: object) =>
    store.request('PATCH', `/v1/admin/drops/${dropId}`, { ...operator, headers: { 'if-match': '*' }, json });
  await Promise.all([
    store.request('GET', '/v1/admin/drops', operator),
    store.request('GET', `/v1/admin/drops/${dropId}`, operator),
    store.request('GET', `/v1/drops/${dropId}`),
    change({ fallbackPerSecond: 2 }),
  ]);
  const ticket = await store.request('POST', `/v1/drops/${openDrop}/tickets`, shopper);
  await store.request('GET', `/v1/drops/${openDrop}/tickets/${ticket.body?.id ?? 'tkt_1'}`, shopper);
  await change({ state: 'closed' });
}
