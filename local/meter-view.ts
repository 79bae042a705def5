import { costOf } from './pricing.ts';
import type { MeterLine, Runtime } from './types.ts';

interface Sum {
  /** At list price; Lambda by the time that functions took here, which is an indication only. */
  usd: number;
  readonly counts: Record<string, number>;
}

/** The meter's reading: every line, and the sums by service, by function and by route of the API. */
export function meterView(runtime: Runtime): object {
  const { since, lines } = runtime.meter.read();
  const functions = new Set(runtime.resources('AWS::Lambda::Function').map(({ ref }) => ref));
  const functionOf = ({ service, resource, by }: MeterLine) => (service === 'lambda' ? resource : by);
  const routes = routesByFunction(runtime);
  return {
    since,
    until: new Date(runtime.clock.now()).toISOString(),
    usd: lines.reduce((sum, line) => sum + costOf(line), 0),
    byService: sumsBy(lines, ({ service }) => [service]),
    byFunction: sumsBy(lines, (line) => [functionOf(line)].filter((name) => functions.has(name))),
    byRoute: sumsBy(lines, (line) =>
      line.service === 'apigateway' ? [line.operation] : (routes.get(functionOf(line)) ?? []),
    ),
    lines,
  };
}

/** The route keys that lead to a function: its work is theirs. */
function routesByFunction(runtime: Runtime): Map<string, string[]> {
  const targets = new Map(
    runtime
      .resources('AWS::ApiGatewayV2::Integration')
      .map(({ ref, properties }) => [`integrations/${ref}`, String(properties.IntegrationUri)]),
  );
  const routes = new Map<string, string[]>();
  for (const { properties } of runtime.resources('AWS::ApiGatewayV2::Route')) {
    const name = /:function:([\w-]+)/.exec(targets.get(properties.Target) ?? '')?.[1];
    if (name) routes.set(name, [...(routes.get(name) ?? []), properties.RouteKey]);
  }
  return routes;
}

function sumsBy(lines: readonly MeterLine[], keysOf: (line: MeterLine) => readonly string[]): object {
  const sums = new Map<string, Sum>();
  for (const line of lines) {
    for (const key of keysOf(line)) {
      const sum = sums.get(key) ?? { usd: 0, counts: {} };
      sums.set(key, sum);
      sum.usd += costOf(line);
      for (const [name, count] of Object.entries(line.counts)) {
        const full = `${line.service}.${name}`;
        sum.counts[full] = (sum.counts[full] ?? 0) + count;
      }
    }
  }
  return Object.fromEntries([...sums].sort(([a], [b]) => (a < b ? -1 : 1)));
}
