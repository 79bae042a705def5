/**
 * `npm start`: brings the cloud assembly up to date, runs it in the embedded cloud, fills an empty store, and serves
 * until Ctrl-C.
 */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Cloud } from './cloud.ts';
import { type LimitOptions, readFactors } from './limits.ts';

const usage = `Usage: npm start [-- --fresh] [-- --limits] [-- --limit-factors <file>] [-- --edge]

  --fresh           empties the store first
  --limits          imposes AWS's documented limits (bench/limits.json)
  --limit-factors   the same, scaled by the JSON object in the file: {"*": 0.01, "ses.sendRate": 1}
  --edge            puts an edge cache before the API, as CloudFront does where it is deployed
  --help            prints this

Environment:
  PORT            port of the HTTP API (3000)
  FLOODGATE_HOME  where state is kept (.floodgate)`;

/** A mistake of whoever started us: told without a stack. */
class UsageError extends Error {}

/** npm passes a terminal's Ctrl-C on although we have had it already: what comes so soon is the same key press. */
const samePressMilliseconds = 500;

const stopping = new AbortController();
let firstSignal: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (firstSignal === undefined) {
      firstSignal = performance.now();
      console.log('\nStopping …');
      stopping.abort();
    } else if (performance.now() - firstSignal > samePressMilliseconds) {
      process.exit(1);
    }
  });
}

// npm hands a SIGTERM to the shell between us, which ends without a word; and npm itself may be killed.
const parent = process.ppid;
if (process.env.npm_lifecycle_event) {
  setInterval(() => {
    if (process.ppid !== parent) stopping.abort();
  }, 500).unref();
}

let exitCode = 0;
try {
  await main(stopping.signal);
} catch (error) {
  if (!stopping.signal.aborted) {
    console.error(`\n${told(error as Error)}`);
    exitCode = 1;
  }
}
process.exit(exitCode);

async function main(signal: AbortSignal): Promise<void> {
  const { fresh, port, home, limits, edge } = readOptions();
  demandNode();
  // What follows needs SQLite, so it is loaded only now that SQLite is known to be there.
  const { isFree } = await import('./ports.ts');
  const { startCloud } = await import('./cloud.ts');
  const { synthesise } = await import('./synth.ts');
  if (!(await isFree(port))) {
    throw new UsageError(`Port ${port} is already in use. Choose another: PORT=${port + 1} npm start`);
  }
  if (fresh) await empty(home);
  // Functions run in Lambda's time zone. It is the whole process's.
  process.env.TZ = 'UTC';

  const assembly = resolve('cdk.out');
  const synthesis = step('Synthesising');
  const { changed } = await synthesise({ assembly, signal });
  synthesis.done(changed ? '' : 'unchanged');

  const starting = step('Starting the cloud');
  const cloud = await startCloud({ assembly, home, port, edge, quiet: true, ...(limits && { limits }) });
  try {
    starting.done();
    signal.throwIfAborted();
    await fill(cloud, home, signal);
    await welcome(cloud.apiUrl, home);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await cloud.stop();
  }
}

async function fill({ runtime, apiUrl }: Cloud, home: string, signal: AbortSignal): Promise<void> {
  const { seed } = await import('./seed.ts');
  const importing = step('Importing the catalogue');
  const { accountPoolOf } = await import('./demo-accounts.ts');
  const pool = accountPoolOf(runtime);
  if (!pool) throw new Error('No stack names a user pool and its client.');
  const { refused, imported } = await seed({
    home,
    apiUrl,
    pool,
    onProgress: (done, total) => importing.progress(`${done}/${total}`),
    signal,
  });
  importing.done(imported ? '' : 'done before');
  for (const line of refused) console.log(`  not imported: ${line}`);
}

/** An Error of the language is a defect of ours, so its stack is wanted; any other explains itself. */
function told(error: Error): string {
  const isDefect = error.name !== 'Error' && error.name in globalThis;
  return isDefect ? (error.stack ?? error.message) : error.message;
}

function readOptions(): {
  fresh: boolean;
  port: number;
  home: string;
  limits: LimitOptions | undefined;
  edge: boolean;
} {
  const { values } = parse();
  if (values.help) {
    console.log(usage);
    process.exit(0);
  }
  const text = process.env.PORT || '3000';
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535) {
    throw new UsageError(`PORT must be a number from 1 to 65535, not "${text}".`);
  }
  const home = resolve(process.env.FLOODGATE_HOME || '.floodgate');
  const path = values['limit-factors'];
  return {
    fresh: values.fresh ?? false,
    edge: values.edge ?? false,
    port,
    home,
    limits: path ? factorsOf(path) : values.limits ? {} : undefined,
  };
}

function factorsOf(path: string): LimitOptions {
  try {
    return readFactors(path);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function parse() {
  try {
    return parseArgs({
      options: {
        fresh: { type: 'boolean' },
        help: { type: 'boolean' },
        limits: { type: 'boolean' },
        edge: { type: 'boolean' },
        'limit-factors': { type: 'string' },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message}\n\n${usage}`);
  }
}

function demandNode(): void {
  if (!isBuiltin('node:sqlite')) {
    throw new UsageError(
      `Node ${process.version} has no SQLite; 22.5 is the first with it. "npm start" uses the Node that "npm ci" installs.`,
    );
  }
  // SQLite is still marked experimental; we know, and the reader of the terminal need not.
  const warn = process.emitWarning;
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith('SQLite')) (warn as (...all: unknown[]) => void)(warning, ...rest);
  }) as typeof process.emitWarning;
}

/** @throws UsageError for a folder that is not a store's: a mistyped FLOODGATE_HOME must not cost anyone their files */
async function empty(home: string): Promise<void> {
  const entries = await readdir(home).catch(() => []);
  if (entries.length === 0) return;
  if (!existsSync(join(home, 'cloud.sqlite')) && !existsSync(join(home, 'cloud.log'))) {
    throw new UsageError(
      `${home} holds no store; --fresh leaves it alone. Empty it yourself if you mean it.`,
    );
  }
  const { lockHome } = await import('./home.ts');
  const release = lockHome(home);
  for (const entry of entries) {
    if (entry !== 'lock') await rm(join(home, entry), { recursive: true, force: true });
  }
  release();
}

/** A line of progress: what is done, how far, and in the end how long it took. */
function step(name: string): { progress(text: string): void; done(note?: string): void } {
  const start = performance.now();
  const label = `  ${`${name} …`.padEnd(28)}`;
  const rewrite = process.stdout.isTTY;
  let shown = false;
  const show = (text: string, end: boolean) => {
    if (!rewrite && !end) return;
    process.stdout.write(`${shown ? '\r\u001b[K' : ''}${label}${text}${end ? '\n' : ''}`);
    shown = rewrite;
  };
  let last = '';
  show('', false);
  return {
    progress(text) {
      last = text;
      show(text, false);
    },
    done(note = '') {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      show([last, note, `${seconds} s`].filter(Boolean).join('  '), true);
    },
  };
}

async function welcome(apiUrl: string, home: string): Promise<void> {
  const { demoAccounts, demoPassword } = await import('./demo-accounts.ts');
  const url = apiUrl.replace('127.0.0.1', 'localhost');
  const accounts = demoAccounts.map(({ role, email }) => `    ${role.padEnd(9)} ${email}`).join('\n');
  console.log(`
  Floodgate serves at ${url}

  Demo accounts, password ${demoPassword} (access tokens at ${url}/_local)
${accounts}

  Try   curl '${url}/v1/products?q=backpack&limit=3'

  State is kept in ${relative(process.cwd(), home) || home}. Ctrl-C stops; npm start -- --fresh begins anew.
`);
}
