import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';

/**
 * Structured logs. Never pass a request body, a token, a name, an address or an e-mail: ids and codes only.
 * Fields go with each call; nothing is kept between calls, as one environment may serve several.
 */
export const log = new Logger();

const metrics = new Metrics({ namespace: 'Floodgate' });

/** Counts one occurrence of a business event, as a CloudWatch metric (embedded metric format). */
export function count(name: string, dimensions: Readonly<Record<string, string>> = {}, value = 1): void {
  const single = metrics.singleMetric();
  single.addDimensions({ ...dimensions });
  single.addMetric(name, MetricUnit.Count, value);
}
