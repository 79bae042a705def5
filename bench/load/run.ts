import { type Reading, readMeter } from './cost.ts';
import { type Check, type Findings, Ground, type Scenario } from './ground.ts';
import type { LoadOptions } from './options.ts';
import { inMs, type Result } from './report.ts';
import { browse } from './scenarios/browse.ts';
import { drop } from './scenarios/drop.ts';
import { mix } from './scenarios/mix.ts';
import { surge } from './scenarios/surge.ts';

const scenarios: Readonly<Record<LoadOptions['scenario'], Scenario>> = { browse, mix, drop, surge };

/** How long the store may take after the last answer until nothing is under way any more. */
const restMs = 1_200_000;

interface Where {
  readonly apiUrl: string;
  /** Seconds of processor time that the store has taken so far, where it can be known. */
  readonly cpuSeconds?: () => number;
}

/**
 * One run of the load.
 * 1. Goods and accounts are made; the meter is set to zero.
 * 2. The scenario sends its load; what it is answered is written down.
 * 3. Whoever was left without an answer asks again; the store comes to rest.
 * 4. What was answered, the store and the provider's book are held against each other.
 */
export async function runLoad(
  options: LoadOptions,
  where: Where,
  say: (line: string) => void = () => {},
): Promise<Result> {
  const overview = await fetch(new URL('/_local', where.apiUrl)).catch(() => undefined);
  const ground = new Ground(options, where.apiUrl, overview?.ok === true);
  try {
    say('setting up');
    const prepared = await scenarios[options.scenario](ground);
    await ground.rest(restMs);
    if (ground.embedded) await ground.client.request('DELETE', '/_local/meter');
    const cpu = where.cpuSeconds?.() ?? 0;
    const own = process.cpuUsage();

    say('the load begins');
    ground.begin();
    let told = 0;
    const timer = setInterval(() => {
      say(progressOf(ground));
      if (++told % 20 === 0) for (const line of refusalsOf(ground)) say(line);
    }, 1_000 / options.pace);
    const begin = performance.now();
    try {
      await setPace(ground, options.pace);
      await prepared.run();
    } finally {
      clearInterval(timer);
      await setPace(ground, 1);
    }
    const real = (performance.now() - begin) / 1_000;
    const seconds = real * options.pace;
    const taken = (where.cpuSeconds?.() ?? 0) - cpu;
    const spent = process.cpuUsage(own);
    say(progressOf(ground));

    say('coming to rest');
    await ground.resolve();
    await ground.rest(restMs);
    const reading = ground.embedded ? await readMeter(ground.client) : undefined;
    say('holding it against the store and the book');
    const findings = await prepared.conclude();
    const givenUp = await ground.givenUp();
    const cpuFigures = {
      'processor time of the load itself': `${((spent.user + spent.system) / 1e6).toFixed(1)} s`,
      ...(where.cpuSeconds && {
        'processor time of the store': `${taken.toFixed(1)} s in ${real.toFixed(1)} s`,
      }),
    };
    return {
      title: `Floodgate under load: ${options.scenario}`,
      when: new Date().toISOString(),
      command: commandOf(options),
      recorder: ground.recorder,
      cache: ground.cache,
      findings: withCommon(ground, findings, givenUp, reading, seconds, cpuFigures),
    };
  } finally {
    ground.close();
  }
}

async function setPace({ client, embedded, options }: Ground, pace: number): Promise<void> {
  if (options.pace === 1) return;
  if (!embedded) throw new Error('--pace is for a store in the embedded cloud');
  const { status, text } = await client.request('POST', '/_local/clock', { json: { pace } });
  if (status !== 200) throw new Error(`the clock keeps its pace: ${status} ${text}`);
}

function withCommon(
  { recorder, accepted }: Ground,
  findings: Findings,
  givenUp: Check,
  reading: Reading | undefined,
  seconds: number,
  cpu: Findings['figures'],
): Findings {
  const orders = accepted.length;
  const requests = [...recorder.steps.values()].reduce((sum, { latency }) => sum + latency.count, 0);
  const answered: Check = {
    name: 'everyone is answered',
    holds: recorder.unanswered === 0,
    detail: `${requests} requests, ${recorder.unanswered} without an answer`,
  };
  const perOrder = (units: number) => (orders > 0 ? (units / orders).toFixed(2) : '–');
  return {
    figures: {
      seconds: seconds.toFixed(1),
      requests: `${requests} (${(requests / seconds).toFixed(0)} a second)`,
      'orders accepted': `${orders} (${(orders / seconds).toFixed(1)} a second)`,
      'sent late by this process, p99': inMs(recorder.lateness.percentile(99)),
      ...findings.figures,
      ...(reading && {
        'write units per order, browsing included': perOrder(reading.writeUnits),
        'read units per order, browsing included': perOrder(reading.readUnits),
        'list price of all of it': `$${reading.usd.toFixed(4)}`,
        'list price per million orders': orders > 0 ? `$${((reading.usd / orders) * 1e6).toFixed(2)}` : '–',
        'dearest services': reading.usdByService
          .slice(0, 4)
          .map(([service, usd]) => `${service} $${usd.toFixed(4)}`)
          .join(', '),
      }),
      ...cpu,
    },
    checks: [answered, givenUp, ...findings.checks],
  };
}

function progressOf({ recorder, accepted }: Ground): string {
  const seconds = recorder.seconds;
  const last = seconds.at(-2) ?? seconds.at(-1);
  if (!last) return 'waiting';
  const { counts, latency, started } = last;
  return [
    `${String(seconds.length).padStart(4)} s`,
    `${started} due`,
    `${counts.accepted} accepted`,
    `${counts.refused} refused`,
    `${counts.shed} shed`,
    `${counts.failed} failed`,
    `p50 ${inMs(latency.percentile(50))}`,
    `p99 ${inMs(latency.percentile(99))}`,
    `${accepted.length} orders so far`,
  ].join('  ');
}

/** What has been refused most so far. */
function refusalsOf({ recorder }: Ground): string[] {
  const most = [...recorder.reasons].sort(([, a], [, b]) => b - a).slice(0, 4);
  return most.map(([reason, times]) => `         ${times}  ${reason}`);
}

function commandOf(options: LoadOptions): string {
  const { report: _, tokens: __, limits, ...rest } = options;
  const elsewhere = {
    browse: 'ceiling shoppers units abandon',
    mix: 'ceiling shoppers units abandon',
    drop: 'rate ceiling distribution',
    surge: 'shoppers units abandon distribution',
  };
  const unused = elsewhere[options.scenario].split(' ');
  const given = Object.entries(rest)
    .filter(([name]) => !unused.includes(name))
    .map(([name, value]) => `--${name} ${value}`);
  return ['npm run load --', ...given, ...(limits ? ['--limits'] : [])].join(' ');
}
