/**
 * `npm run cost -- [orders] [at once] [--write]`: what an order causes and costs, measured over purchases in a store of
 * its own, beside the same order built naively. `--write` also puts it into docs/cost.md.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { costReport } from './cost-report.ts';
import { measureOrders } from './measure-order.ts';
import { orderCost } from './order-cost.ts';

const numbers = process.argv.slice(2).filter((argument) => /^\d+$/.test(argument));
const [orders = 10, atOnce = 1] = numbers.map(Number);
const report = costReport(orderCost(await measureOrders(orders, atOnce)), orders, atOnce);
console.log(report);

if (process.argv.includes('--write')) {
  const page = join(import.meta.dirname, '../docs/cost.md');
  const text = await readFile(page, 'utf8');
  const generated = /(<!-- npm run cost -- --write -->\n)[\s\S]*(\n<!-- end -->)/;
  await writeFile(
    page,
    text.replace(generated, (_, begin, end) => `${begin}\n${report}\n${end}`),
  );
}
