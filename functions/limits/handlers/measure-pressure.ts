import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { cloudWatchReadings } from '../adapters/cloudwatch.ts';
import { pressureItem } from '../adapters/pressure-item.ts';
import { measurePressure } from '../app/measure-pressure.ts';

const env = environment(
  'LIMITS_TABLE',
  'METRICS_NAMESPACE',
  'CHECKOUT_QUEUE',
  'ORDER_PIPE',
  'MEASURED_TABLES',
);
const measured = {
  namespace: env.METRICS_NAMESPACE,
  checkoutQueue: env.CHECKOUT_QUEUE,
  orderPipe: env.ORDER_PIPE,
  tables: env.MEASURED_TABLES.split(','),
};

export const handler = measurePressure({
  now: systemNow,
  sleep: systemSleep,
  readings: cloudWatchReadings(measured, systemNow),
  ...pressureItem(documents, env.LIMITS_TABLE),
});
