import type { Resource } from './synthesis.ts';

/**
 * CloudWatch's alarms as far as the templates use them: statistics over periods, metric math, M of N datapoints, missing
 * data, and rules of composite alarms. A function or setting that is not known here is an error, never a guess.
 *
 * Simplified: an alarm looks at its evaluation periods alone, where CloudWatch retrieves some more datapoints to fill
 * gaps with; and every period ends at the moment of the evaluation.
 */

/** Measurements of the same value at the same time, in seconds of any epoch. */
export interface Point {
  readonly at: number;
  readonly value: number;
  /** How many; 1 unless told. */
  readonly times?: number;
}
/** Measurements by `seriesKey`. */
export type Series = ReadonlyMap<string, readonly Point[]>;
export type State = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

type Value = number | undefined;

/** A metric that an alarm reads, and for how long at a time. */
export interface Leaf {
  readonly id: string;
  readonly series: string;
  readonly name: string;
  readonly statistic: string;
  /** Seconds. */
  readonly period: number;
}

/** The name under which a series holds a metric: namespace, name and dimensions. */
export function seriesKey(metric: { Namespace: string; MetricName: string; Dimensions?: unknown }): string {
  return JSON.stringify([metric.Namespace, metric.MetricName, metric.Dimensions ?? []]);
}

/** The metrics that a metric alarm reads. */
export function leavesOf({ properties: p }: Resource): Leaf[] {
  if (!p.Metrics) {
    const statistic = p.Statistic ?? p.ExtendedStatistic;
    return [{ id: 'metric', series: seriesKey(p as never), name: p.MetricName, statistic, period: p.Period }];
  }
  return p.Metrics.filter((one: any) => one.MetricStat).map(
    ({ Id, MetricStat: { Metric, Stat, Period } }: any) => ({
      id: Id,
      series: seriesKey(Metric),
      name: Metric.MetricName,
      statistic: Stat,
      period: Period,
    }),
  );
}

/** Seconds that the alarm looks back. */
export function spanOf(alarm: Resource): number {
  return Math.max(...leavesOf(alarm).map(({ period }) => period)) * alarm.properties.EvaluationPeriods;
}

/** The state of a metric alarm at a moment, after it was in `before`. */
export function stateOf(alarm: Resource, series: Series, at: number, before: State = 'OK'): State {
  const { properties: p } = alarm;
  const periods: number = p.EvaluationPeriods;
  const needed: number = p.DatapointsToAlarm ?? periods;
  const length = Math.max(...leavesOf(alarm).map(({ period }) => period));
  const values = Array.from({ length: periods }, (_, back) => datumOf(alarm, series, at - back * length));
  const present = values.filter((value) => value !== undefined);
  const missing = periods - present.length;
  const breaching = present.filter((value) => breaches(p, value)).length;
  switch (p.TreatMissingData) {
    case 'notBreaching':
      return breaching >= needed ? 'ALARM' : 'OK';
    case 'breaching':
      return breaching + missing >= needed ? 'ALARM' : 'OK';
    case 'ignore':
      if (present.length === 0) return before;
      return breaching >= needed ? 'ALARM' : 'OK';
    case undefined:
    case 'missing':
      if (present.length === 0) return 'INSUFFICIENT_DATA';
      return breaching >= needed ? 'ALARM' : 'OK';
    default:
      throw new Error(`missing data are treated as "${p.TreatMissingData}"`);
  }
}

function breaches(p: Record<string, any>, value: number): boolean {
  const { Threshold: threshold, ComparisonOperator: operator } = p;
  if (operator === 'GreaterThanThreshold') return value > threshold;
  if (operator === 'GreaterThanOrEqualToThreshold') return value >= threshold;
  if (operator === 'LessThanThreshold') return value < threshold;
  if (operator === 'LessThanOrEqualToThreshold') return value <= threshold;
  throw new Error(`the operator ${operator} is not known`);
}

/** What the alarm compares with its threshold, for the period that ends at `at`. */
function datumOf(alarm: Resource, series: Series, at: number): Value {
  const leaves = new Map(
    leavesOf(alarm).map(({ id, series: key, statistic: name, period }) => {
      const points = (series.get(key) ?? []).filter((point) => point.at > at - period && point.at <= at);
      return [id, statistic(name, points)] as const;
    }),
  );
  const metrics: any[] | undefined = alarm.properties.Metrics;
  if (!metrics) return leaves.get('metric');
  const result = metrics.filter(({ ReturnData }) => ReturnData !== false);
  if (result.length !== 1) throw new Error(`${alarm.id} returns ${result.length} series`);
  const [{ Id, Expression }] = result;
  return Expression === undefined ? leaves.get(Id) : calculate(Expression, leaves);
}

function statistic(name: string, points: readonly Point[]): Value {
  const count = points.reduce((total, { times = 1 }) => total + times, 0);
  if (count === 0) return undefined;
  const sum = points.reduce((total, { value, times = 1 }) => total + value * times, 0);
  const values = points.map(({ value }) => value);
  if (name === 'Sum') return sum;
  if (name === 'SampleCount') return count;
  if (name === 'Average') return sum / count;
  if (name === 'Maximum') return Math.max(...values);
  if (name === 'Minimum') return Math.min(...values);
  throw new Error(`the statistic ${name} is not known`);
}

const operators: readonly Readonly<Record<string, (a: number, b: number) => number>>[] = [
  {
    '>=': (a, b) => Number(a >= b),
    '<=': (a, b) => Number(a <= b),
    '>': (a, b) => Number(a > b),
    '<': (a, b) => Number(a < b),
  },
  { '+': (a, b) => a + b, '-': (a, b) => a - b },
  { '*': (a, b) => a * b, '/': (a, b) => a / b },
];

/** An expression of metric math for one period. What misses an operand is missing; division by 0 has no value. */
export function calculate(expression: string, leaves: ReadonlyMap<string, Value>): Value {
  const tokens = expression.match(/[A-Za-z_]\w*|\d+(\.\d+)?|>=|<=|[-+*/<>(),]/g) ?? [];
  if (tokens.join('') !== expression.replaceAll(/\s/g, '')) throw new Error(`cannot read ${expression}`);
  let next = 0;
  const take = (expected?: string): string => {
    const token = tokens[next++];
    if (token === undefined || (expected && token !== expected)) throw new Error(`cannot read ${expression}`);
    return token;
  };
  const level = (depth: number): Value => {
    const known = operators[depth];
    if (!known) return operand();
    let left = level(depth + 1);
    for (let apply = known[tokens[next] ?? '']; apply; apply = known[tokens[next] ?? '']) {
      next++;
      const right = level(depth + 1);
      const value = left === undefined || right === undefined ? undefined : apply(left, right);
      left = value !== undefined && Number.isFinite(value) ? value : undefined;
    }
    return left;
  };
  const operand = (): Value => {
    const token = take();
    if (token === '(') {
      const value = level(0);
      take(')');
      return value;
    }
    if (/^\d/.test(token)) return Number(token);
    if (tokens[next] === '(') return call(token);
    if (!leaves.has(token)) throw new Error(`${expression} has no ${token}`);
    return leaves.get(token);
  };
  const call = (name: string): Value => {
    const given: Value[] = [];
    take('(');
    do given.push(level(0));
    while (tokens[next] === ',' && take());
    take(')');
    const [first, second, third] = given;
    if (name === 'FILL' && given.length === 2) return first ?? second;
    if (name === 'IF' && given.length === 3) return first === undefined ? undefined : first ? second : third;
    throw new Error(`the function ${name} of metric math is not known`);
  };
  const value = level(0);
  if (next !== tokens.length) throw new Error(`cannot read ${expression}`);
  return value;
}

/** The alarms that a composite alarm's rule names, by logical id. */
export function childrenOf(composite: Resource): string[] {
  return [...ruleOf(composite).matchAll(/"([^"]+)"/g)].map((match) => match[1]!);
}

/** The state of a composite alarm, given those of the alarms of its stack. */
export function compositeState(composite: Resource, states: ReadonlyMap<string, State>): State {
  const rule = ruleOf(composite);
  const logic = rule.replaceAll(/ALARM\s*\(\s*"([^"]+)"\s*\)/g, (_, id: string) => {
    const state = states.get(id);
    if (!state) throw new Error(`${composite.id} names ${id}, of which nothing is known`);
    return state === 'ALARM' ? '1' : '0';
  });
  // What is left is made of these alone: and, or, not as numbers.
  if (!/^([01()\s]|AND|OR|NOT)+$/.test(logic)) throw new Error(`cannot read the rule ${rule}`);
  return truth(logic.match(/[01()]|AND|OR|NOT/g) ?? []) ? 'ALARM' : 'OK';
}

function truth(tokens: readonly string[]): boolean {
  let next = 0;
  const any = (): boolean => {
    let value = all();
    while (tokens[next] === 'OR' && ++next) value = all() || value;
    return value;
  };
  const all = (): boolean => {
    let value = one();
    while (tokens[next] === 'AND' && ++next) value = one() && value;
    return value;
  };
  const one = (): boolean => {
    const token = tokens[next++];
    if (token === 'NOT') return !one();
    if (token !== '(') return token === '1';
    const value = any();
    if (tokens[next++] !== ')') throw new Error('a bracket is not closed');
    return value;
  };
  const value = any();
  if (next !== tokens.length) throw new Error('the rule goes on after its end');
  return value;
}

/** The rule with logical ids in the place of ARNs. */
function ruleOf({ properties: { AlarmRule: rule } }: Resource): string {
  if (typeof rule === 'string') return rule;
  return rule['Fn::Join'][1]
    .map((part: any) => (typeof part === 'string' ? part : part['Fn::GetAtt'][0]))
    .join('');
}
