/**
 * `npm run finance:verify -- --date 2026-11-22`: whether debits are credits, and export, ledger, orders and the
 * provider's book say the same of a business date. Asks the store that runs at PORT (3000) on this machine. Ends with
 * 1 when something differs, or the date has not been exported.
 */
import { parseArgs } from 'node:util';
import { paginateScan } from '@aws-sdk/lib-dynamodb';
import { type MoneyEvent, moneyEventOf, verifyDay } from '../bench/finance-verify.ts';
import { charges, clientOf } from '../bench/store.ts';
import { entriesOf } from '../functions/finance/adapters/journal-table.ts';
import { localTables } from './local-tables.ts';

const { date } = parseArgs({ options: { date: { type: 'string' } } }).values;
if (!date || !/^\d{4}-\d{2}-\d{2}$/.test(date)) {
  console.error('Usage: npm run finance:verify -- --date YYYY-MM-DD');
  process.exit(1);
}
const apiUrl = `http://127.0.0.1:${process.env.PORT || '3000'}`;
const tables = await localTables(apiUrl);
const { documents } = await import('../functions/kernel/table.ts');
const client = clientOf(apiUrl);
const { token } = await client.account('finance');

const exports = await exportsFrom(date);
const own = exports.find((one) => one.date === date);
if (!own) {
  console.error(`${date} has not been exported.`);
  process.exit(1);
}
const checks = verifyDay({
  date,
  timeZone: own.timeZone,
  entries: await entriesOf(documents, tables.finance)(date),
  exported: exports.map(({ journal }) => journal),
  events: await moneyEvents(),
  charges: await charges(client),
});
console.table(checks);
const differing = checks.filter(({ agree }) => !agree).length;
console.log(differing === 0 ? `${date}: everything agrees.` : `${date}: ${differing} lines differ.`);
process.exit(differing === 0 ? 0 : 1);

/** The journals of the date's export and of those after it that hold entries of it. */
async function exportsFrom(from: string) {
  const found: { date: string; timeZone: string; journal: Buffer }[] = [];
  for (let path: string | undefined = `/v1/finance/exports?from=${from}&limit=100`; path !== undefined; ) {
    const list = await client.request('GET', path, { token });
    for (const one of list.body.items) {
      const { body } = await client.request('GET', `/v1/finance/exports/${one.date}`, { token });
      if (one.date !== from && !body.manifest.generatedFrom.days[from]) continue;
      const link = body.links.find(({ name }: { name: string }) => name === 'journal.csv');
      const journal = Buffer.from(await (await fetch(link.url)).arrayBuffer());
      found.push({ date: one.date, timeZone: one.timeZone, journal });
    }
    const { next } = list.body;
    path = next && `/v1/finance/exports?from=${from}&limit=100&cursor=${encodeURIComponent(next)}`;
  }
  return found;
}

async function moneyEvents(): Promise<MoneyEvent[]> {
  const events: MoneyEvent[] = [];
  const pages = paginateScan(
    { client: documents },
    {
      TableName: tables.order,
      ConsistentRead: true,
      FilterExpression: '#type IN (:captured, :refunded)',
      ExpressionAttributeNames: { '#type': 'type' },
      ExpressionAttributeValues: { ':captured': 'payment.captured', ':refunded': 'refund.completed' },
    },
  );
  for await (const { Items = [] } of pages) {
    events.push(...Items.flatMap((item) => moneyEventOf(item as Parameters<typeof moneyEventOf>[0]) ?? []));
  }
  return events;
}
