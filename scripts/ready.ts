/**
 * `npm run ready -- --drop <id>`: whether a stage is ready for an event, and what will break first. See `usage`.
 * Ends with 1 when something is needed that is not there.
 */
import { parseArgs } from 'node:util';
import { DescribeTableCommand } from '@aws-sdk/client-dynamodb';
import { type Event, type Raised, raisedBy, readinessOf, tightness } from '../bench/readiness.ts';
import { configOf } from '../lib/config.ts';
import type { TableName } from '../lib/constructs/function-spec.ts';
import { type Deployment, deployedStage, embeddedDeployment } from './operate/deployment.ts';
import { readWarmth, readyDuring } from './operate/warmth.ts';

const usage = `Usage: npm run ready -- (--drop <drp_…> | --sku <sku_…> [--sku …]) [options]
  --shoppers <n>        who come (100000), --within <seconds> (60)
  --signing-in <part>   of them sign in then and there (0.05)
  --rate <n>            orders a second; otherwise the drop's, or as fast as payment allows
  --quota <name>=<n>    what the account has in place of a default of bench/limits.json; may be repeated
  --stage <stage>       a stage on AWS (see npm run operate -- --help); otherwise the embedded cloud at PORT (3000)
  --as <stage>          reckon with the settings of another stage than the one asked`;

const { values } = parseArgs({
  options: {
    drop: { type: 'string' },
    sku: { type: 'string', multiple: true },
    shoppers: { type: 'string', default: '100000' },
    within: { type: 'string', default: '60' },
    'signing-in': { type: 'string', default: '0.05' },
    rate: { type: 'string' },
    quota: { type: 'string', multiple: true, default: [] },
    stage: { type: 'string' },
    as: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help || (values.drop === undefined && values.sku === undefined)) {
  console.log(usage);
  process.exit(values.help ? 0 : 2);
}

const deployment = values.stage
  ? await deployedStage(values.stage)
  : await embeddedDeployment(`http://127.0.0.1:${process.env.PORT || '3000'}`);
try {
  const drop =
    values.drop === undefined ? undefined : await read(deployment, `/v1/admin/drops/${values.drop}`);
  const skus: readonly string[] = values.sku ?? drop.skus;
  const asked = values.rate ?? drop?.admission?.rate;
  const event: Event = {
    shoppers: number('shoppers', values.shoppers),
    within: number('within', values.within),
    signingIn: values['signing-in'] === '0' ? 0 : number('signing-in', values['signing-in']),
    ordersPerSecond: asked === undefined ? undefined : number('rate', asked),
    stock: await Promise.all(
      skus.map(async (sku) => {
        const { available, shards } = await read(deployment, `/v1/admin/stock/${sku}`);
        return { sku, units: available, shards: shards.length };
      }),
    ),
    arrivalShards: drop?.arrivalShards ?? 64,
    pollSeconds: 10,
  };
  const raised = { ...(await warmThroughput(deployment)), ...raisedBy(values.quota) };
  const ready = await environmentsReady(deployment, drop?.opensAt, event.within);
  show(event, readinessOf(event, configOf(values.as ?? deployment.stage), raised, ready));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
} finally {
  deployment.close();
}

async function read(from: Deployment, path: string): Promise<any> {
  const { status, body } = await from.api('GET', path);
  if (status !== 200) throw new Error(`${path}: ${body?.title ?? status}`);
  return body;
}

/** What the tables can take at once, where they say so; the embedded ones do not. */
async function warmThroughput({ documents, table }: Deployment): Promise<Raised> {
  const warm: Record<string, number> = {};
  for (const name of ['order', 'inventory', 'admission']) {
    try {
      const { Table } = await documents.send(
        new DescribeTableCommand({ TableName: table(name as TableName) }),
      );
      const units = Table?.WarmThroughput?.WriteUnitsPerSecond;
      if (units) warm[`${name}.warmWriteUnits`] = units;
    } catch {
      // Without the right to ask, or the table, the documented start counts.
    }
  }
  return warm;
}

/** @throws Error: what is no number would pass every check */
function number(name: string, value: string | number): number {
  if (Number(value) > 0) return Number(value);
  throw new Error(`--${name} must be a number above 0`);
}

/** By function, what is scheduled while the crowd comes: when the drop opens, or now. */
async function environmentsReady(
  from: Deployment,
  opensAt: string | undefined,
  seconds: number,
): Promise<Record<string, number>> {
  const now = await from.now();
  const begin = opensAt === undefined ? now : Math.max(now, Date.parse(opensAt));
  const functions = await readWarmth(from);
  return Object.fromEntries(
    functions.map((fn) => [fn.id, readyDuring(fn, begin, begin + seconds * 1_000)] as const),
  );
}

function show(event: Event, { ordersPerSecond, checks, cold, usd }: ReturnType<typeof readinessOf>): void {
  const units = event.stock.reduce((sum, one) => sum + one.units, 0);
  console.log(
    `${event.shoppers} shoppers within ${event.within} s for ${units} units, ${ordersPerSecond.toFixed(0)} orders/s: sold in ${Math.ceil(units / ordersPerSecond)} s`,
  );
  console.table(
    checks.map((check) => ({
      what: check.what,
      needs: Math.round(check.needs),
      has: Math.round(check.has),
      unit: check.unit,
      used: `${Math.round(tightness(check) * 100)}%`,
    })),
  );
  const broken = checks.filter((check) => tightness(check) > 1);
  for (const { what, otherwise, remedy } of broken) console.log(`${what}: ${otherwise}. Remedy: ${remedy}.`);
  const [first] = checks;
  console.log(
    broken.length > 0
      ? `Breaks first: ${first!.what}.`
      : `Nothing breaks; the tightest is: ${first!.what}, ${Math.round(tightness(first!) * 100)}% used.`,
  );
  for (const { what, needs, has, otherwise } of cold)
    console.log(`${what} has ${has} of ${needs} environments ready: ${otherwise}.`);
  if (cold.length > 0)
    console.log(`Remedy: npm run operate -- warm --drop ${values.drop ?? '<drp_…>'} --go.`);
  console.log(
    `Expected cost: $${usd.queue.toFixed(2)} for the queue, $${usd.orders.toFixed(2)} for orders, $${usd.mail.toFixed(2)} for e-mail.`,
  );
  if (broken.length > 0 || (values.drop !== undefined && cold.length > 0)) process.exitCode = 1;
}
