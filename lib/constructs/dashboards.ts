import { Duration, type Stack } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  MathExpression,
  type Metric,
  SingleValueWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import {
  auditMetrics,
  businessMetrics,
  type MetricName,
  objectiveMetrics,
} from '../../functions/kernel/metrics.ts';
import type { SloProps } from './slo.ts';

export type Objectives = Readonly<
  Record<'Acceptance' | 'Settlement' | 'Delivery' | 'Export', Omit<SloProps, 'topic'>>
>;

type MetricOf = (name: MetricName, statistic: string) => Metric;

/**
 * Three dashboards, for three questions: what do shoppers experience, what needs an operator, can finance trust the
 * books. Functions, queues and tables are found by the stage's name prefix: a new one is on it unmentioned.
 */
export function addDashboards(stack: Stack, stage: string, metric: MetricOf, objectives: Objectives): void {
  const { Acceptance, Settlement, Delivery, Export } = objectives;
  const { orderRequests, orderRequestsFailed, settlementSeconds, deliverySeconds, exportMissed } =
    objectiveMetrics;
  const search = searchIn(stage);
  const make = (role: string, intro: string, ...widgets: readonly IWidget[]) =>
    new Dashboard(stack, role, { dashboardName: `Floodgate-${stage}-${role.toLowerCase()}` }).addWidgets(
      new TextWidget({ markdown: intro, width: 24, height: 2 }),
      ...widgets,
    );

  make(
    'Shopper',
    'What shoppers experience. Budgets: what is left of the errors that 30 days allow; below 0 the promise is broken.',
    budget(Acceptance),
    budget(Settlement),
    budget(Delivery),
    graph('Orders asked for, and failed by us', [
      metric(orderRequests, 'Sum'),
      metric(orderRequestsFailed, 'Sum'),
    ]),
    graph('Seconds until a payment is settled', [
      metric(settlementSeconds, 'p50'),
      metric(settlementSeconds, 'p99'),
    ]),
    graph('Order requests, duration p99 (ms)', [
      search('AWS/Lambda,FunctionName', 'MetricName="Duration" PlaceOrder', 'p99'),
    ]),
  );
  make(
    'Operator',
    'What needs an operator: first what must be zero, then what fails, then what waits. A dead-letter queue above 0 needs a person.',
    single(
      'Must be zero',
      Object.values(businessMetrics).map((name) => metric(name, 'Maximum')),
      24,
    ),
    graph('Function errors', [search('AWS/Lambda,FunctionName', 'MetricName="Errors"', 'Sum')]),
    graph('Function throttles', [search('AWS/Lambda,FunctionName', 'MetricName="Throttles"', 'Sum')]),
    graph('Function duration, p99', [search('AWS/Lambda,FunctionName', 'MetricName="Duration"', 'p99')]),
    graph('Workflows failed', [search('AWS/States,StateMachineArn', 'MetricName="ExecutionsFailed"', 'Sum')]),
    graph('Pipe executions failed', [
      search(
        'AWS/EventBridge/Pipes,PipeName',
        'MetricName=("ExecutionFailed" OR "ExecutionPartiallyFailed")',
        'Sum',
      ),
    ]),
    graph('Tables throttled', [
      search('AWS/DynamoDB,TableName,Operation', 'MetricName="ThrottledRequests"', 'Sum'),
    ]),
    graph('Oldest message (s)', [
      search('AWS/SQS,QueueName', 'MetricName="ApproximateAgeOfOldestMessage"', 'Maximum'),
    ]),
    graph('Messages waiting', [
      search('AWS/SQS,QueueName', 'MetricName="ApproximateNumberOfMessagesVisible"', 'Maximum'),
    ]),
    graph('Seconds until an event is received', [
      metric(deliverySeconds, 'p50'),
      metric(deliverySeconds, 'p99'),
    ]),
  );
  const { ledgerUnbalanced, reconciliationDifferences, paidWithoutOrder, chargeWithoutCapture } =
    businessMetrics;
  make(
    'Finance',
    'Whether the books can be trusted. All numbers must be zero; the export of a business day is due at 06:00 of the next.',
    single(
      'Must be zero',
      [ledgerUnbalanced, reconciliationDifferences, paidWithoutOrder, chargeWithoutCapture, exportMissed].map(
        (name) => metric(name, 'Maximum'),
      ),
      24,
    ),
    budget(Export),
    graph('Exports and reconciliations failed', [
      search('AWS/States,StateMachineArn', 'MetricName="ExecutionsFailed" Finance', 'Sum'),
    ]),
    graph('Oldest difference from a settlement (days)', [
      metric(auditMetrics.oldestDifferenceDays, 'Maximum'),
    ]),
    graph('Journal entries waiting: oldest event (s)', [
      search('AWS/SQS,QueueName', 'MetricName="ApproximateAgeOfOldestMessage" Finance', 'Maximum'),
    ]),
  );
}

function graph(title: string, left: IMetric[]): GraphWidget {
  return new GraphWidget({ title, width: 8, height: 6, left });
}

function single(title: string, metrics: IMetric[], width: number): SingleValueWidget {
  return new SingleValueWidget({ title, width, height: 4, metrics });
}

/** Percent of the error budget that is left over the time that the dashboard shows. */
function budget(props: Omit<SloProps, 'topic'>): GraphWidget {
  const day = Duration.days(1);
  const left = new MathExpression({
    expression: `100 * (1 - SUM(FILL(bad, 0)) / (SUM(total) * ${Number((1 - props.objective).toPrecision(6))})) + 0 * total`,
    usingMetrics: { bad: props.bad.with({ period: day }), total: props.total.with({ period: day }) },
    period: day,
    label: 'budget left (%)',
  });
  return new GraphWidget({ title: props.name, width: 8, height: 6, left: [left], start: '-P30D' });
}

/** A search that keeps to this stage's resources, whose names all begin with it. */
function searchIn(stage: string): (dimensions: string, query: string, statistic: string) => IMetric {
  return (dimensions, query, statistic) =>
    new MathExpression({
      expression: `SEARCH('{${dimensions}} ${query} Floodgate ${stage}', '${statistic}', 60)`,
      usingMetrics: {},
      label: '',
      period: Duration.minutes(1),
    });
}
