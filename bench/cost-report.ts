import assumptions from './assumptions.json' with { type: 'json' };
import budget from './budget.json' with { type: 'json' };
import { naiveCounts, naiveEmails, naiveWaiting } from './naive/model.ts';
import { bill, type CostLine, type OrderCost, totalOf } from './order-cost.ts';
import prices from './prices.json' with { type: 'json' };

type Cell = string | number;

/** What `npm run cost` prints, in Markdown. @param orders that were measured, `atOnce` of them at a time */
export function costReport(cost: OrderCost, orders: number, atOnce: number): string {
  const naive = naiveCounts.map(({ price, count }) => bill(ofPrice(price), 'own', price, count));
  const seconds = assumptions.providerMilliseconds / 1000;
  const naivePart = ({ price, count }: { price: string; count: number }) =>
    usd(bill('', 'own', price, count).usdPerMillion);
  return [
    `Measured over ${orders} one-line orders, ${atOnce} at a time; list prices of ${prices.region}, read on ${prices.readOn}.`,
    '### Write units of an order, by step',
    table(
      ['step', 'write units', 'of them in indexes'],
      cost.writes.map(({ step, writeUnits, ofIndexes }) => [step, count(writeUnits), count(ofIndexes)]),
    ),
    '### Functions',
    table(
      ['function', 'invocations', 'MB', 'ms assumed', 'ms here', 'log bytes'],
      cost.functions.map((one) => [
        one.function,
        count(one.invocations),
        one.memoryMb,
        one.assumedMs,
        one.realMs,
        count(one.logBytes),
      ]),
    ),
    '### The bill of an order',
    billTable(cost.lines.filter(({ part }) => part === 'own')),
    `**${count(cost.writeUnits)} write units, ${count(cost.readUnits)} read units, ` +
      `$${usd(cost.usdPerMillion)} per million orders.** ` +
      `Budget: ${budget.writeUnitsPerOrder} write units, $${budget.usdPerMillionOrders}.`,
    `### Besides: e-mail, and waiting ${assumptions.providerMilliseconds} ms for each answer of the provider`,
    billTable(cost.lines.filter(({ part }) => part !== 'own')),
    '### The same order built naively (a model, `bench/naive/model.ts`)',
    table(
      ['line', 'an order', '$ per million orders', 'where the count comes from'],
      naive.map((one, index) => [
        one.line,
        count(one.count),
        usd(one.usdPerMillion),
        naiveCounts[index]!.origin,
      ]),
    ),
    '### Side by side, $ per million orders',
    table(
      ['', 'Floodgate', 'naive'],
      [
        ['the order itself', usd(cost.usdPerMillion), usd(totalOf(naive, 'own'))],
        ['e-mail', usd(totalOf(cost.lines, 'e-mail')), naivePart(naiveEmails)],
        ['waiting for the provider', usd(totalOf(cost.lines, 'provider')), naivePart(naiveWaiting(seconds))],
      ],
    ),
  ].join('\n\n');
}

function billTable(lines: readonly CostLine[]): string {
  return table(
    ['line', 'an order', '$ per million orders'],
    lines.map(({ line, count: value, usdPerMillion }) => [line, count(value), usd(usdPerMillion)]),
  );
}

function table(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const widths = head.map((name, column) =>
    column === head.length - 1 ? 0 : Math.max(name.length, ...rows.map((row) => String(row[column]).length)),
  );
  const line = (cells: readonly Cell[]) =>
    `| ${cells.map((cell, column) => String(cell).padEnd(widths[column]!)).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)].join('\n');
}

function ofPrice(name: string): string {
  const known: Readonly<Record<string, { readonly of: string }>> = prices.prices;
  return `${name.split('.')[0]}: ${known[name]?.of}`;
}

function count(value: number): number {
  return Number(value.toFixed(value < 1 ? 4 : 1));
}

function usd(value: number): string {
  return value.toFixed(2);
}
