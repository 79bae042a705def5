import { randomUUID } from 'node:crypto';
import type { Resource } from '../../local/types.ts';
import { openStore, order, type Store, sell, settled, totalOf } from '../store.ts';

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

/**
 * Takes the role of every function, workflow, pipe and schedule away in turn, and every rule's permission to deliver;
 * then uses the store. Each time a call must be refused, and that call must be one of theirs.
 */
export async function roles(report: (line: string) => void = () => {}): Promise<RoleFigures> {
  const store = await openStore();
  try {
    const openDrop = (await announce(store, (await sell(store, { stock: 1 })).sku))!;
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: leadSeconds + 1 } });
    await tour(store, openDrop, () => false, true);
    const holders = holdersOf(store);
    const unnoticed: string[] = [];
    for (const holder of holders) {
      const noticed = await isNoticed(store, openDrop, holder);
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

async function isNoticed(store: Store, openDrop: string, holder: Holder): Promise<boolean> {
  let refused = false;
  const { iam } = store.cloud.runtime;
  const logsOnly = mayOnlyLog(store, holder.arn);
  const forget = iam.onDenied(({ caller, action }) => {
    // Losing its log is what everybody notices; who may do more must miss that.
    if (action.startsWith('logs:') && !logsOnly) return;
    const who = caller.kind === 'role' ? caller.roleArn : caller.kind === 'service' ? caller.sourceArn : '';
    if (who === holder.arn) refused = true;
  });
  const giveBack = iam.revoke(holder.arn);
  // Nobody lives on what a warm function remembers.
  const { runtime } = store.cloud;
  if (holder.kind === 'function')
    await runtime.call('lambda', 'Retire', { Role: holder.arn }, { kind: 'operator' });
  try {
    await tour(store, openDrop, () => refused).catch(() => undefined);
    return refused;
  } finally {
    giveBack();
    forget();
  }
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

/** How long a step may take that waits for what happens behind the API. */
const patienceMs = 8_000;

/** Uses every part of the store; ends early once `over`. */
async function tour(store: Store, openDrop: string, over: () => boolean, isFirst = false): Promise<void> {
  const shopper = await store.account();
  const finance = await store.account('finance');
  const operator = { token: await store.operator() };
  const steps = requests({ store, shopper, finance, operator, openDrop, isFirst });
  for (const step of steps) {
    if (over()) return;
    await Promise.race([step(), overSoon(over)]);
  }
}

/** Ends when it is over, so that a step that will never end is not waited for. */
async function overSoon(over: () => boolean): Promise<void> {
  const deadline = performance.now() + patienceMs;
  while (!over() && performance.now() < deadline) await new Promise((done) => setTimeout(done, 20));
}

type Account = { token: string };

/** How long before it opens a drop is announced at least. */
const leadSeconds = 120;

async function announce(store: Store, sku: string, opensInSeconds?: number): Promise<string | undefined> {
  const now = store.cloud.runtime.clock.now();
  const at = (seconds: number) => new Date(now + seconds * 1_000).toISOString();
  const { body } = await store.request('POST', '/v1/admin/drops', {
    token: await store.operator(),
    headers: { 'idempotency-key': randomUUID() },
    json: {
      name: 'A tour',
      skus: [sku],
      ...(opensInSeconds !== undefined && { opensAt: at(opensInSeconds) }),
      closesAt: at(30 * 86_400),
      perCustomerLimit: 1,
      admission: { rate: 10 },
      fallbackPerSecond: 1,
    },
  });
  return body?.id;
}

function requests({
  store,
  shopper,
  finance,
  operator,
  openDrop,
  isFirst,
}: {
  store: Store;
  shopper: Account;
  finance: Account;
  operator: Account;
  openDrop: string;
  isFirst: boolean;
}): (() => Promise<unknown>)[] {
  const key = () => ({ 'idempotency-key': randomUUID() });
  const any = { 'if-match': '*' };
  let goods: Awaited<ReturnType<typeof sell>>;
  let cartId = '';
  let orderId = '';
  let dropId = 'drp_1';
  const get = (path: string, { token }: Partial<Account> = {}) =>
    store.request('GET', path, token ? { token } : {});
  const buy = async (payWith: string | null) => {
    const lines = [{ sku: goods.sku, quantity: 1 }];
    const { body } = await order(store, { ...shopper, lines, total: await totalOf(store, lines), payWith });
    return body.id as string;
  };
  const run = (target: RegExp, daysAgo: number) => {
    const time = new Date(store.cloud.runtime.clock.now() - daysAgo * 24 * 3_600_000).toISOString();
    return Promise.all(
      store.cloud.runtime
        .resources('AWS::Scheduler::Schedule')
        .filter(({ properties }) => target.test(properties.Target.Arn))
        .map(({ ref }) => store.request('POST', `/_local/schedules/${ref}/run`, { json: { time } })),
    );
  };
  return [
    () =>
      Promise.all([
        get('/v1/health'),
        get('/v1/openapi.json'),
        get('/v1/nowhere'),
        get('/v1/products'),
        get('/v1/categories'),
      ]),
    async () => {
      goods = await sell(store, { stock: 50, shards: 2 });
    },
    () =>
      store.request('POST', '/v1/admin/products/import', {
        ...operator,
        headers: { 'content-type': 'text/csv' },
        text: `id,name,description,category,style,price\n${randomUUID()},Cup,Plain,housewares,kitchen,5.00\n`,
      }),
    () =>
      Promise.all([
        get(`/v1/products/${goods.productId}`),
        store.request('PATCH', `/v1/admin/products/${goods.productId}`, {
          ...operator,
          headers: any,
          json: { style: 'tea' },
        }),
        get(`/v1/admin/stock/${goods.sku}`, operator),
        store.request('PUT', `/v1/admin/stock/${goods.sku}`, {
          ...operator,
          headers: { ...key(), ...any },
          json: { adjust: 1, reason: 'found one' },
        }),
      ]),
    async () => {
      // So far ahead that nobody conducts it.
      dropId = (await announce(store, goods.sku, 86_400)) ?? dropId;
    },
    () =>
      Promise.all([
        get('/v1/admin/drops', operator),
        get(`/v1/admin/drops/${dropId}`, operator),
        get(`/v1/drops/${dropId}`),
        store.request('PATCH', `/v1/admin/drops/${dropId}`, {
          ...operator,
          headers: any,
          json: { fallbackPerSecond: 2 },
        }),
      ]),
    async () => {
      const { body } = await store.request('POST', `/v1/drops/${openDrop}/tickets`, shopper);
      await get(`/v1/drops/${openDrop}/tickets/${body?.id ?? 'tkt_1'}`, shopper);
      // Its SKU is sold as others are again.
      await store.request('PATCH', `/v1/admin/drops/${dropId}`, {
        ...operator,
        headers: any,
        json: { state: 'closed' },
      });
    },
    async () => {
      const { body } = await store.request('POST', '/v1/carts', { json: {} });
      cartId = body.id;
    },
    () =>
      store.request('PUT', `/v1/carts/${cartId}/lines/${goods.sku}`, { headers: any, json: { quantity: 1 } }),
    () => get(`/v1/carts/${cartId}`),
    () => store.request('DELETE', `/v1/carts/${cartId}/lines/${goods.sku}`, { headers: any }),
    () => store.request('POST', `/v1/carts/${cartId}/claim`, { ...shopper, json: {} }),
    async () => {
      orderId = await buy(null);
    },
    () =>
      Promise.all([
        get('/v1/orders', shopper),
        get(`/v1/orders/${orderId}`, shopper),
        get(`/v1/orders/${orderId}/events`, shopper),
        get('/v1/admin/orders', operator),
        get(`/v1/admin/orders/${orderId}`, operator),
      ]),
    () =>
      store.request('POST', `/v1/orders/${orderId}/payments`, {
        ...shopper,
        headers: key(),
        json: { method: 'card', token: 'tok_approve' },
      }),
    () => settled(store, shopper.token, orderId, { payment: 'captured' }, patienceMs),
    () =>
      store.request('POST', `/v1/admin/orders/${orderId}/fulfil`, { ...operator, headers: key(), json: {} }),
    () =>
      store.request('POST', `/v1/admin/orders/${orderId}/deliver`, { ...operator, headers: key(), json: {} }),
    () =>
      store.request('POST', `/v1/admin/orders/${orderId}/refunds`, {
        ...operator,
        headers: key(),
        json: { reason: 'damaged' },
      }),
    () => settled(store, shopper.token, orderId, { payment: 'refunded' }, patienceMs),
    async () => store.request('POST', `/v1/orders/${await buy(null)}/cancel`, { ...shopper, headers: key() }),
    () => run(/function/, 0),
    // Finance takes day after day: the first tour begins so far back that there is one for every other tour.
    () => run(/stateMachine/, isFirst ? 200 : 2),
    async () => {
      const { body } = await get('/v1/finance/exports', finance);
      if (body?.items?.[0]) await get(`/v1/finance/exports/${body.items[0].date}`, finance);
    },
    // Those that work behind the API have until now to be refused.
    () => store.request('GET', '/v1/health'),
  ];
}
