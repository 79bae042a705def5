import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type MetricName, metricService } from './metrics.ts';

/**
 * Structured logs. Never pass a request body, a token, a name, an address or an e-mail: ids and codes only.
 * Fields go with each call; nothing is kept between calls, as one environment may serve several.
 */
export const log = new Logger();

/** Counts occurrences of one thing. Zero is worth reporting where an alarm waits for it. */
export function count(name: MetricName, value = 1): void {
  measure({ [name]: [value] });
}

/**
 * Reports metrics in one line (CloudWatch's embedded metric format); past 100 values of one metric, in several. Each
 * report has a buffer of its own, as one environment may serve several invocations.
 * @param fields stand in the same line for people and for `npm run trace`, and are no metric
 * @param at when it was so, in milliseconds since the epoch
 */
export function measure(
  values: Readonly<Partial<Record<MetricName, readonly number[]>>>,
  fields: Readonly<Record<string, unknown>> = {},
  at = Date.now(),
): void {
  const metrics = new Metrics({
    namespace: process.env.METRICS_NAMESPACE ?? 'Floodgate',
    serviceName: metricService,
  });
  metrics.setTimestamp(at);
  for (const [name, field] of Object.entries(fields)) metrics.addMetadata(name, field as string);
  for (const [name, measured] of Object.entries(values)) {
    const unit = name.endsWith('Seconds') ? MetricUnit.Seconds : MetricUnit.Count;
    for (const value of measured) metrics.addMetric(name, unit, value);
  }
  metrics.publishStoredMetrics();
}

/** One short line that says what this invocation did in which trace; `npm run trace` reads it. */
export function trail(what: 'answered' | 'took' | 'called', fields: Readonly<Record<string, unknown>>): void {
  write({ trail: what, at: Date.now(), ...fields });
}

/** Past the console, which Lambda would wrap into a line of its own. */
function write(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
