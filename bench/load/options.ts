import { parseArgs } from 'node:util';
import type { Distribution } from './random.ts';

export const scenarioNames = ['browse', 'mix', 'drop', 'surge'] as const;
export type ScenarioName = (typeof scenarioNames)[number];

export interface LoadOptions {
  readonly scenario: ScenarioName;
  /** The store's address; a store of its own is started without. */
  readonly url?: string;
  /** A file with access tokens, for a store that is not an embedded cloud. */
  readonly tokens?: string;
  /** How long shoppers keep arriving. */
  readonly seconds: number;
  /** Arrivals a second; of `surge` the rate that it begins to look for saturation with. */
  readonly rate: number;
  /** Of `surge`: no step asks for more a second than this. */
  readonly ceiling: number;
  /** Of `drop`. */
  readonly shoppers: number;
  readonly units: number;
  /** The part (0–1) of admitted shoppers who do nothing with it. */
  readonly abandon: number;
  readonly distribution: Distribution;
  readonly seed: number;
  /** Connections at the same time. */
  readonly connections: number;
  /** The part (0.01–1) of real time at which the store's clock runs, and the crowd with it. */
  readonly pace: number;
  /** Imposes AWS's documented limits on the store that is started. */
  readonly limits: boolean;
  readonly report: string;
}

const defaults: Readonly<Record<ScenarioName, { seconds: number; rate: number }>> = {
  browse: { seconds: 30, rate: 30 },
  mix: { seconds: 30, rate: 20 },
  drop: { seconds: 60, rate: 0 },
  surge: { seconds: 15, rate: 10 },
};

export const usage = `Usage: npm run load -- --scenario browse|mix|drop|surge [options]

  --url <address>       the store; without it one of its own is started, with an edge cache
  --tokens <file>       {"operator": token, "shoppers": [token, …]}, where the store has no /_local
  --seconds <n>         how long shoppers keep arriving (browse, mix 30; drop 60; a step of surge 15)
  --rate <n>            arrivals a second (browse 30, mix 20; surge begins with 10)
  --ceiling <n>         surge: no step asks for more a second (5000)
  --shoppers <n>        drop: how many come (20000)
  --units <n>           drop: units for sale (500)
  --abandon <0..1>      drop: the part of those admitted who do not buy (0.1)
  --distribution <d>    zipf or uniform: how goods are chosen (zipf)
  --seed <n>            the same arrivals and choices again (1)
  --connections <n>     at most at the same time (1000)
  --pace <0.01..1>      lets the store's clock, and the crowd's, run slower than this machine's (1)
  --limits              imposes AWS's documented limits on the store that is started
  --report <file>       the report (load-<scenario>.html)`;

/** @throws Error for arguments that cannot be meant */
export function optionsFrom(args: readonly string[]): LoadOptions | undefined {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: text,
      url: text,
      tokens: text,
      seconds: text,
      rate: text,
      ceiling: text,
      shoppers: text,
      units: text,
      abandon: text,
      distribution: text,
      seed: text,
      connections: text,
      pace: text,
      limits: { type: 'boolean' },
      report: text,
      help: { type: 'boolean' },
    },
  });
  if (values.help) return undefined;
  const scenario = scenarioNames.find((name) => name === values.scenario);
  if (!scenario) throw new Error(`--scenario is one of ${scenarioNames.join(', ')}`);
  const number = (name: keyof typeof values, fallback: number) => {
    const value = values[name] === undefined ? fallback : Number(values[name]);
    if (!(value >= 0)) throw new Error(`--${name} is a number`);
    return value;
  };
  const { distribution = 'zipf', url, tokens } = values;
  if (distribution !== 'zipf' && distribution !== 'uniform')
    throw new Error('--distribution is zipf or uniform');
  if (url && values.limits) throw new Error('--limits is for a store that is started here');
  const pace = number('pace', 1);
  if (!(pace >= 0.01 && pace <= 1)) throw new Error('--pace is a number from 0.01 to 1');
  return {
    scenario,
    ...(url && { url }),
    ...(tokens && { tokens }),
    seconds: number('seconds', defaults[scenario].seconds),
    rate: number('rate', defaults[scenario].rate),
    ceiling: number('ceiling', 5_000),
    shoppers: number('shoppers', 20_000),
    units: number('units', 500),
    abandon: number('abandon', 0.1),
    distribution,
    seed: number('seed', 1),
    connections: number('connections', 1_000),
    pace,
    limits: values.limits ?? false,
    report: values.report ?? `load-${scenario}.html`,
  };
}
