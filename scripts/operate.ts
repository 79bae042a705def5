/**
 * `npm run operate -- <lever> [arguments] [--go]`: the operators' levers. Without `--go` a lever says what it would
 * do. `npm run operate -- log` shows what was done. See `usage`.
 */
import { parseArgs } from 'node:util';
import { readLeverLog } from './operate/audit.ts';
import { type Deployment, deployedStage, embeddedDeployment } from './operate/deployment.ts';
import { type Lever, UsageError } from './operate/lever.ts';
import { pauseDrop } from './operate/pause-drop.ts';
import { raiseShards } from './operate/raise-shards.ts';
import { reconcileStock } from './operate/reconcile-stock.ts';
import { redrive } from './operate/redrive.ts';
import { replay } from './operate/replay.ts';
import { runLever } from './operate/run.ts';
import { shedLoad } from './operate/shed-load.ts';
import { shutAccount } from './operate/shut-account.ts';
import { stuckOrders } from './operate/stuck-orders.ts';
import { warm } from './operate/warm.ts';

/** One file a lever. */
const levers: Readonly<Record<string, Lever>> = {
  'shed-load': shedLoad,
  redrive,
  replay,
  'stuck-orders': stuckOrders,
  'pause-drop': pauseDrop,
  'raise-shards': raiseShards,
  warm,
  'reconcile-stock': reconcileStock,
  'shut-account': shutAccount,
};

const usage = () => `Usage: npm run operate -- <lever> [arguments] [options]
  log [--limit n]       what was done, the newest first
${Object.entries(levers)
  .map(([name, { summary, usage: args }]) => `  ${`${name} ${args}`.trim()}\n      ${summary}`)
  .join('\n')}
Options
  --go                  do it; without it a lever only says what it would do
  --reason <text>       why, for the log
  --stage <stage>       a stage on AWS, by the credentials and the region of the environment; what goes through the
                        store's API goes with the operator's access token in FLOODGATE_TOKEN.
                        Without it: the embedded cloud at PORT (3000)`;

/** The options of `operate` itself; the others are the lever's. */
const own = ['go', 'reason', 'stage', 'help'];

const { tokens } = parseArgs({
  options: {
    go: { type: 'boolean' },
    reason: { type: 'string' },
    stage: { type: 'string' },
    help: { type: 'boolean' },
  },
  allowPositionals: true,
  strict: false,
  tokens: true,
});
const given = new Map<string, string | true>();
const taken = new Set<number>();
for (const token of tokens) {
  if (token.kind !== 'option' || !own.includes(token.name)) continue;
  given.set(token.name, token.value ?? true);
  taken.add(token.index);
  if (token.value !== undefined && !token.inlineValue) taken.add(token.index + 1);
}
const [name = '', ...args] = process.argv.slice(2).filter((_, index) => !taken.has(index));
const lever = levers[name];
if (given.has('help') || (!lever && name !== 'log')) {
  console.log(usage());
  process.exit(given.has('help') ? 0 : 2);
}

let deployment: Deployment | undefined;
try {
  const stage = given.get('stage');
  deployment =
    typeof stage === 'string'
      ? await deployedStage(stage)
      : await embeddedDeployment(`http://127.0.0.1:${process.env.PORT || '3000'}`);
  if (lever) {
    const reason = given.get('reason');
    await runLever(
      deployment,
      [name, lever],
      { args, go: given.has('go'), reason: typeof reason === 'string' ? reason : undefined },
      console.log,
    );
  } else await showLog(deployment, args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  if (error instanceof UsageError) console.error(`Usage: npm run operate -- ${name} ${lever?.usage}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
} finally {
  deployment?.close();
}

async function showLog(from: Deployment, rest: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...rest],
    options: { limit: { type: 'string', default: '20' } },
  });
  const records = await readLeverLog(from, { limit: Math.max(1, Number(values.limit) || 20) });
  for (const { at, phase, lever: which, args: with_, who, reason, says } of records) {
    console.log([at, phase.padEnd(6), who, which, ...with_, ...(reason ? [`(${reason})`] : [])].join(' '));
    for (const line of says) console.log(`    ${line}`);
  }
  if (records.length === 0) console.log('No lever has been used yet.');
}
