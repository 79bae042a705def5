import { Duration } from 'aws-cdk-lib';
import { Metric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { metricNamespace, metricService, overloadMetrics } from '../../functions/kernel/metrics.ts';
import type { EventPipe } from '../constructs/event-pipe.ts';
import type { FunctionSpec, TableName } from '../constructs/function-spec.ts';
import type { Platform } from '../constructs/platform.ts';
import { Watch } from '../constructs/watch.ts';
import { addFunction } from './context-stack.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** The tables without which nobody can buy. */
const measuredTables: readonly TableName[] = ['order', 'inventory', 'cart'];

/** What measures how hard the store is pressed. It has the names of what it measures, and no right to touch it. */
export class LimitsStack extends FloodgateStack {
  constructor(
    scope: Construct,
    platform: Platform,
    functions: readonly FunctionSpec[],
    measured: { readonly checkoutQueue: IQueue | undefined; readonly orderPipe: EventPipe | undefined },
  ) {
    super(scope, 'Limits', platform.config, 'the measuring of pressure');
    const { checkoutQueue, orderPipe } = measured;
    if (!checkoutQueue || !orderPipe)
      throw new Error('there is no checkout queue or no pipe of orders to measure');
    const environment = {
      CHECKOUT_QUEUE: checkoutQueue.queueName,
      ORDER_PIPE: orderPipe.pipeName,
      MEASURED_TABLES: measuredTables.map((name) => platform.stores.tables.get(name)!.tableName).join(),
    };
    for (const spec of functions) addFunction(this, { ...spec, environment }, platform);
    new Watch(this, 'Shedding', {
      metric: new Metric({
        namespace: metricNamespace(platform.config.stage),
        metricName: overloadMetrics.shedLevel,
        dimensionsMap: { service: metricService },
        statistic: 'Maximum',
        period: Duration.minutes(1),
      }),
      above: 0,
      minutes: 3,
      meaning: 'Requests are refused so that buyers can be served: something is pressed for minutes.',
      runbook: 'overload.md#load-is-shed',
      topic: platform.alarms,
    });
  }
}
