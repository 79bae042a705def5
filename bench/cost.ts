/**
 * `npm run cost -- [orders] [at once] [--write]`: what an order causes and costs, measured over purchases in a store of
 * its own, beside the same order built naively. `--write` also puts it into docs/cost.md.
 * `npm run cost -- --drop <shoppers> [units] [admitted a second]`: what a drop's waiting room costs.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { costReport } from './cost-report.ts';
import { dropReport, measureDrop } from './drop-cost.ts';
import { measureOrders } from './measure-order.ts';
import { orderCost } from './order-cost.ts';

/** Shoppers of the crowd over which a drop is counted. */
const crowd = 60;

const numbers = process.argv
  .slice(2)
  .filter((argument) => /^\d+$/.test(argument))
  .map(Number);
const drop = process.argv.includes('--drop');
const report = drop ? await ofDrop(numbers) : await ofOrders(numbers);
console.log(report);

async function ofOrders([orders = 10, atOnce = 1]: readonly number[]): Promise<string> {
  return costReport(orderCost(await measureOrders(orders, atOnce)), orders, atOnce);
}

async function ofDrop([shoppers = 100_000, units = 10_000, pace = 50]: readonly number[]): Promise<string> {
  return dropReport(await measureDrop(crowd), { shoppers, units, pace }, crowd);
}

if (process.argv.includes('--write') && !drop) {
  const page = join(import.meta.dirname, '../docs/cost.md');
  const text = await readFile(page, 'utf8');
  const generated = /(<!-- npm run cost -- --write -->\n)[\s\S]*(\n<!-- end -->)/;
  await writeFile(
    page,
    text.replace(generated, (_, begin, end) => `${begin}\n${report}\n${end}`),
  );
}
