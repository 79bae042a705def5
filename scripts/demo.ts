/**
 * `npm run demo`: one purchase, step by step, against the store at `PORT` (3000); starts one if none runs.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { clientOf, exportToday, settled, until } from '../bench/store.ts';

const port = process.env.PORT || '3000';
const apiUrl = `http://127.0.0.1:${port}`;
const client = clientOf(apiUrl);

const started = (await isRunning()) ? undefined : await start();
try {
  await purchase();
} finally {
  if (started) {
    console.log('\nStopping the store that this demo started.');
    started.kill('SIGINT');
    await once(started, 'exit');
  }
}

async function isRunning(): Promise<boolean> {
  const answer = await fetch(`${apiUrl}/_local`).catch(() => undefined);
  return answer?.ok ?? false;
}

async function start(): Promise<ChildProcess> {
  console.log(`No store answers at ${apiUrl}; starting one (npm start keeps one running).\n`);
  const child = spawn(process.execPath, ['local/start.ts'], { stdio: ['ignore', 'inherit', 'inherit'] });
  await until(
    'the store serves its catalogue',
    async () => {
      if (child.exitCode !== null) throw new Error('the store could not be started; see above');
      const seen = await isRunning();
      if (!seen) return false;
      const { body } = await client.request('GET', '/_local');
      return body.seeded === true;
    },
    180_000,
  );
  return child;
}

async function purchase(): Promise<void> {
  step('Browse: the most expensive accessory that is in stock');
  const { body: list } = await client.request(
    'GET',
    '/v1/products?category=accessories&inStock=true&sort=-price&limit=1',
  );
  const [card] = list.items;
  const { body: product } = await client.request('GET', `/v1/products/${card.id}`);
  const [variant] = product.variants;
  tell(`${product.name} — ${shown(variant.price)}, ${variant.availability}`);

  step('Sign in, and put one into a cart');
  const { body: local } = await client.request('GET', '/_local');
  const { email, accessToken: token } = local.demo.shopper;
  tell(`shopper ${email}`);
  const { body: cart } = await client.request('POST', '/v1/carts?country=KR', {
    token,
    json: { country: 'KR', lines: [{ sku: variant.sku, quantity: 1 }] },
  });
  tell(
    `cart ${cart.id}: goods ${shown(cart.subtotal)}, shipping ${shown(cart.shipping)}, total ${shown(cart.total)}`,
  );
  tell(`of which tax ${shown(cart.tax)} (${cart.taxIncluded ? 'included' : 'added'})`);

  step('Order it: one transaction takes the stock, closes the cart and opens the payment');
  const before = await stockOf(variant.sku);
  const placed = await client.request('POST', '/v1/orders', {
    token,
    headers: { 'idempotency-key': randomUUID(), 'accept-language': 'ko' },
    json: {
      cartId: cart.id,
      shippingAddress: {
        name: '김유나',
        line1: '세종대로 110',
        city: '서울',
        postalCode: '04524',
        country: 'KR',
        phone: '+82 2 120',
      },
      payment: { method: 'card', token: 'tok_approve' },
      expectedTotal: cart.total,
    },
  });
  if (placed.status !== 201) throw new Error(`the order was refused: ${placed.text}`);
  tell(
    `${placed.status} order ${placed.body.number}, ${placed.body.status}, payment ${placed.body.payment.status}`,
  );
  tell(`stock ${before} → ${await stockOf(variant.sku)}`);

  step('The saga authorises and captures at the payment provider');
  const paid = await settled(client, token, placed.body.id, { payment: 'captured' });
  const { body: history } = await client.request('GET', `/v1/orders/${paid.id}/events`, { token });
  for (const { seq, type, at } of history.items) tell(`${seq}. ${type.padEnd(18)} ${at}`);
  const { body: book } = await client.request('GET', '/_local/psp/charges');
  const charge = book.items.find(({ orderId }: { orderId: string }) => orderId === paid.id);
  tell(`the provider's own book: ${charge.status} ${shown(charge.amount)}`);

  step('The e-mail');
  const mail = await until('the e-mail is sent', async () => {
    const { body } = await client.request('GET', `/_local/messages?to=${encodeURIComponent(email)}`);
    return body.items.find(({ text }: { text: string }) => text.includes(paid.number));
  });
  tell(`to ${[mail.to].flat().join(', ')}: ${mail.subject}`);
  for (const line of mail.text.trim().split('\n')) tell(`  ${line}`);

  step("The day's finance export");
  await financeExport(paid.id);
}

async function financeExport(orderId: string): Promise<void> {
  tell('(the clock of the embedded cloud moves on to the night in which the day is audited and exported)');
  const { date, manifest, files } = await exportToday(client);
  tell(`${date} (${manifest.timeZone}): ${JSON.stringify(manifest.totals)}`);
  for (const { name, rows, bytes, sha256 } of manifest.files) {
    tell(
      `${name.padEnd(16)} ${String(rows).padStart(5)} rows ${String(bytes).padStart(8)} bytes  sha-256 ${sha256.slice(0, 16)}…`,
    );
  }
  const [header, ...rows] = files.get('journal.csv')!.split('\r\n');
  tell('journal.csv, this order:');
  for (const row of [header, ...rows.filter((line) => line.includes(orderId))]) tell(`  ${row}`);
}

async function stockOf(sku: string): Promise<number> {
  const { body: local } = await client.request('GET', '/_local');
  const { body } = await client.request('GET', `/v1/admin/stock/${sku}`, {
    token: local.demo.operator.accessToken,
  });
  return body.available;
}

function step(title: string): void {
  console.log(`\n■ ${title}`);
}

function tell(line: string): void {
  console.log(`  ${line}`);
}

function shown({ amount, currency }: { amount: number; currency: string }): string {
  const { maximumFractionDigits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency,
  }).resolvedOptions();
  return `${currency} ${(amount / 10 ** maximumFractionDigits).toFixed(maximumFractionDigits)}`;
}
