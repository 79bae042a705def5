import { beforeAll, describe, expect, it } from 'vitest';
import { type Goods, runSchedule, type Store, sell, timeOf, until } from '../../../bench/store.ts';
import { canonicalJson } from '../../../functions/kernel/ids.ts';
import { outboxOf, purchase } from '../support/outbox.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
let outbox: ReturnType<typeof outboxOf>;
let goods: Goods;
beforeAll(async () => {
  store = await sharedStore();
  outbox = outboxOf(store);
  goods = await sell(store, { stock: 1_000 });
});

const twoHours = 2 * 3_600;
const delivered = (orderId: string) =>
  until(`${orderId} is in the journal, the mail log and the operators’ list`, async () => {
    const [entries, marks, row] = await Promise.all([
      outbox.entries(orderId),
      outbox.marks(orderId),
      outbox.row(orderId),
    ]);
    const facts = ['fact1', 'fact2', 'fact3'].every((fact) => row?.[fact] !== undefined);
    return entries.length === 1 && marks.length === 1 && marks[0]!.state.S === 'sent' && facts;
  });

describe('the auditor', () => {
  it('finds nothing to do where everything has arrived, and says up to when it has', async () => {
    const { orderId } = await purchase(store, goods);
    await delivered(orderId);
    await outbox.advance(twoHours);
    const output = await runSchedule(store, 'audit-events');
    expect(output).toMatchObject({ resent: 0 });
    const { pk: _, sk: __, ...marks } = (await outbox.scan('order')).find(({ pk }) => pk.S === 'AUDIT')!;
    expect(Object.keys(marks)).toHaveLength(64);
    const now = await timeOf(store);
    for (const { M } of Object.values(marks))
      expect(now - Date.parse(M.journalledTo.S)).toBeLessThan(80 * 60_000);
  });

  it('sends again what the journal, the mail log and the operators’ list lost, and each takes it once', async () => {
    const bought = await purchase(store, goods);
    await delivered(bought.orderId);
    const [[entry], [mark]] = await Promise.all([
      outbox.entries(bought.orderId),
      outbox.marks(bought.orderId),
    ]);
    const row = await outbox.row(bought.orderId);
    await outbox.remove('finance', entry!);
    await outbox.remove('reporting', row!);
    await outbox.advance(twoHours);
    // The move of the clock has run the schedule too.
    await runSchedule(store, 'audit-events');
    await delivered(bought.orderId);
    await outbox.quiet();
    expect(await outbox.entries(bought.orderId)).toEqual([entry]);
    expect(await outbox.marks(bought.orderId)).toEqual([mark]);
    expect(await outbox.row(bought.orderId)).toEqual(row);
    expect(await outbox.mails(bought.email)).toHaveLength(1);
    expect(await runSchedule(store, 'audit-events')).toMatchObject({ resent: 0 });
  });

  it('makes good what the pipe gave up while it was down', async () => {
    const { runtime } = store.cloud;
    const pipe = runtime.resources('AWS::Pipes::Pipe').find(({ ref }) => /order/i.test(ref))!;
    const bus = runtime.resources('AWS::Events::EventBus')[0]!;
    let down = false;
    // The pipe's role keeps the right to its dead-letter queue: what it gives up is gone for good.
    const { call } = runtime;
    const real = call.bind(runtime);
    Object.assign(runtime, {
      call: async (...args: Parameters<typeof call>) => {
        const [service, operation, , caller] = args;
        const ofPipe = caller.kind === 'role' && caller.roleArn === pipe.properties.RoleArn;
        if (down && service === 'events' && operation === 'PutEvents' && ofPipe) {
          throw new Error(`${bus.ref} does not answer`);
        }
        return real(...args);
      },
    });
    try {
      const before = await outbox.deadLetters(/pipe/i);
      const bought = await purchase(store, goods, {
        payWith: 'tok_slow',
        whilePending: async (orderId) => {
          await until('the saga asks the provider', async () => {
            const { items } = (await store.request('GET', '/_local/executions')).body;
            return items.some(({ name, status }: any) => name.startsWith(orderId) && status === 'RUNNING');
          });
          down = true;
        },
      });
      await until('the pipe gives up', async () => (await outbox.deadLetters(/pipe/i)) > before, 60_000);
      expect(await outbox.entries(bought.orderId)).toEqual([]);
      down = false;
      // No lease of an e-mail on its way may end by our jump.
      await outbox.quiet();
      await outbox.advance(twoHours);
      await runSchedule(store, 'audit-events');
      await delivered(bought.orderId);
      await outbox.quiet();
      expect(await outbox.entries(bought.orderId)).toHaveLength(1);
      expect(await outbox.mails(bought.email)).toHaveLength(1);
    } finally {
      down = false;
      Object.assign(runtime, { call });
    }
  });
});

describe('the bus takes some entries of a call and refuses others', () => {
  // The auditor's own calls: test/unit/order/audit-events.test.ts.
  it('and every event still arrives from the pipe', async () => {
    const { runtime } = store.cloud;
    const { call } = runtime;
    const real = call.bind(runtime);
    let refusals = 0;
    const refused = new Set<string>();
    Object.assign(runtime, {
      call: async (...args: Parameters<typeof call>) => {
        const [service, operation, input, caller] = args;
        if (service !== 'events' || operation !== 'PutEvents') return real(...args);
        const { Entries } = input as { Entries: { Detail: string }[] };
        // Each event is refused when it is first sent.
        const isNew = Entries.map(({ Detail }) => !refused.has(Detail));
        for (const { Detail } of Entries) refused.add(Detail);
        refusals += isNew.filter(Boolean).length;
        const rest = Entries.filter((_, index) => !isNew[index]);
        const taken =
          rest.length > 0 ? await real(service, operation, { Entries: rest }, caller) : { Entries: [] };
        const results = taken.Entries.values();
        return {
          FailedEntryCount: isNew.filter(Boolean).length,
          Entries: isNew.map((fails) => (fails ? { ErrorCode: 'InternalFailure' } : results.next().value)),
        };
      },
    });
    try {
      const bought = await purchase(store, goods);
      await delivered(bought.orderId);
      expect(refusals).toBeGreaterThan(2);
      expect(await outbox.mails(bought.email)).toHaveLength(1);
    } finally {
      Object.assign(runtime, { call });
    }
  });
});

it('a replay of the whole archive changes no table and sends no e-mail', async () => {
  const { runtime } = store.cloud;
  const bought = [await purchase(store, goods), await purchase(store, goods)];
  for (const { orderId } of bought) await delivered(orderId);
  await outbox.settle();
  // What an audit found missing stays on its list until the next one has seen it arrive.
  await runSchedule(store, 'audit-events');
  const tables = ['order', 'finance', 'notification', 'reporting', 'inventory', 'sandbox'];
  const state = async () => {
    const items = await Promise.all(tables.map(outbox.scan));
    // How far sweep and audit have come moves on by itself.
    const isMark = ({ sk }: { sk: { S: string } }) => sk.S === 'WATERMARK';
    return items.map((all) =>
      all
        .filter((item) => !isMark(item as { sk: { S: string } }))
        .map(canonicalJson)
        .sort(),
    );
  };
  const messages = async () => (await store.request('GET', '/_local/messages')).body.items.length;
  const [before, sent] = [await state(), await messages()];
  const seenOf = async () => {
    const { items } = (await store.request('GET', '/_local/events')).body;
    return bought.map(
      ({ orderId }) => items.filter((one: any) => JSON.stringify(one).includes(orderId)).length,
    );
  };
  const seen = await seenOf();
  const now = await timeOf(store);
  await outbox.call('events', 'StartReplay', {
    ReplayName: 'everything',
    EventSourceArn: runtime.resources('AWS::Events::Archive')[0]!.arn,
    EventStartTime: 0,
    EventEndTime: now / 1000 + 60,
    Destination: { Arn: runtime.resources('AWS::Events::EventBus')[0]!.arn },
  });
  // Each event of theirs once more.
  expect(await seenOf()).toEqual(seen.map((count) => 2 * count));
  await outbox.settle();
  expect(await state()).toEqual(before);
  expect(await messages()).toBe(sent);
});
