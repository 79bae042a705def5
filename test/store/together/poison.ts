import { beforeAll, expect, it } from 'vitest';
import { type Goods, type Store, sell, until } from '../../../bench/store.ts';
import { outboxOf, purchase } from '../support/outbox.ts';
import { sharedStore } from './shared-store.ts';

let store: Store;
let outbox: ReturnType<typeof outboxOf>;
let goods: Goods;
beforeAll(async () => {
  store = await sharedStore();
  outbox = outboxOf(store);
  goods = await sell(store, { stock: 100 });
});

const delivered = (orderId: string) =>
  until(`${orderId} is in the journal and the mail log`, async () => {
    const [entries, marks] = await Promise.all([outbox.entries(orderId), outbox.marks(orderId)]);
    return entries.length > 0 && marks.some(({ state }) => state.S === 'sent');
  });

it('a poison record ends in the dead-letter queues, and what came with it is delivered', async () => {
  const at = (await store.request('GET', '/_local')).body.now;
  const poison = {
    pk: { S: 'ORDER#ord_POISON' },
    sk: { S: 'EVENT#000001' },
    id: { S: 'evt_POISON-1' },
    type: { S: 'payment.captured' },
    version: { N: '1' },
    orderId: { S: 'ord_POISON' },
    seq: { N: '1' },
    at: { S: at },
    traceparent: { S: '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01' },
    body: { S: '{"attempt":"none"}' },
  };
  const consumers = [/journal/i, /sendmail/i];
  const deadLetters = () => Promise.all(consumers.map(outbox.deadLetters));
  const before = await deadLetters();
  const [bought] = await Promise.all([purchase(store, goods), outbox.put('order', poison)]);
  await delivered(bought.orderId);
  await until(
    'both consumers give it up',
    async () => {
      // Each receive hides the message for minutes.
      await outbox.advance(240);
      return (await deadLetters()).every((count, index) => count > before[index]!);
    },
    90_000,
  );
  expect(await outbox.entries('ord_POISON')).toEqual([]);
  expect(await outbox.mails(bought.email)).toHaveLength(1);
});
