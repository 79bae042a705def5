import { describe, expect, it } from 'vitest';
import { LoadClock } from '../../../bench/load/clock.ts';
import { readingOf } from '../../../bench/load/cost.ts';
import { Histogram } from '../../../bench/load/histogram.ts';
import { outcomeOf, Recorder, reasonOf } from '../../../bench/load/recorder.ts';
import { report } from '../../../bench/load/report.ts';

const answer = (status: number, code?: string) => ({
  status,
  headers: {},
  body: code ? JSON.stringify({ type: `https://floodgate.dev/problems/${code}` }) : '',
});

describe('percentiles', () => {
  it('are the nearest rank, at most a hundredth above it', () => {
    const histogram = new Histogram();
    const values = Array.from({ length: 1_000 }, (_, index) => (index + 1) * 0.7);
    for (const value of values) histogram.add(value);
    for (const percent of [1, 50, 90, 99, 99.9, 100]) {
      const exact = values[Math.ceil(percent * 10) - 1]!;
      const told = histogram.percentile(percent);
      expect(told).toBeGreaterThanOrEqual(exact * 0.999);
      expect(told).toBeLessThanOrEqual(exact * 1.011);
    }
    expect(histogram.max).toBeCloseTo(700);
    expect(histogram.mean).toBeCloseTo(350.35);
    expect(new Histogram().percentile(50)).toBeNaN();
  });

  it('of two are those of all', () => {
    const [one, other] = [new Histogram(), new Histogram()];
    for (let index = 0; index < 90; index++) one.add(1);
    for (let index = 0; index < 10; index++) other.add(100);
    one.merge(other);
    expect(one.percentiles([90, 91])).toEqual([expect.closeTo(1, 1), expect.closeTo(100, -1)]);
  });
});

describe('what is written down', () => {
  it('counts latency from when a request was due, not from when it was sent', () => {
    const recorder = new Recorder();
    const due = performance.now() - 500;
    recorder.started(due);
    recorder.answered('GET /', answer(200), due);
    expect(recorder.steps.get('GET /')!.latency.percentile(50)).toBeGreaterThanOrEqual(500);
    expect(recorder.lateness.percentile(50)).toBeGreaterThanOrEqual(499);
  });

  it('tells refusals from shedding and from faults', () => {
    const outcomes = [200, 201, 304, 404, 409, 429, 500, 502, 503, 0].map((status) =>
      outcomeOf(answer(status)),
    );
    expect(outcomes).toEqual([
      ...['accepted', 'accepted', 'accepted', 'refused', 'refused', 'shed'],
      ...['failed', 'failed', 'failed', 'failed'],
    ]);
    expect(outcomeOf(answer(503, 'temporary-reduced-capacity'))).toBe('shed');
    expect(reasonOf(answer(409, 'out-of-stock'))).toBe('409 out-of-stock');
    expect(reasonOf(answer(429))).toBe('429 from the gateway');
    expect(reasonOf({ ...answer(0), failure: 'ECONNRESET' })).toBe('ECONNRESET');
  });

  it('counts those who were not answered, whatever stood in the way, and nobody else', () => {
    const recorder = new Recorder();
    const step = 'POST /v1/orders';
    for (const failure of ['ENOTFOUND', 'CERT_HAS_EXPIRED', 'no answer in time'])
      recorder.answered(step, { ...answer(0), failure }, performance.now());
    recorder.answered(step, answer(409, 'drop-closed'), performance.now());
    recorder.answered(step, answer(500), performance.now());
    expect(recorder.unanswered).toBe(3);
  });

  it('counts goodput in the second in which it was accepted', () => {
    const clock = new LoadClock();
    const recorder = new Recorder(clock, clock.now() - 2_500);
    const due = performance.now();
    recorder.answered('POST /v1/orders', answer(201), due, true);
    recorder.answered('POST /v1/orders', answer(503, 'temporary-reduced-capacity'), due, true);
    recorder.answered('GET /', answer(200), due);
    expect(recorder.seconds.map(({ goodput }) => goodput)).toEqual([0, 0, 1]);
  });
});

it('a meter’s reading sums units, the stock’s apart, and prices all lines', () => {
  const line = { service: 'dynamodb', resource: 'Local-InventoryTable', operation: 'TransactWriteItems' };
  const reading = readingOf([
    { ...line, by: 'Order-PlaceOrderFunction', counts: { writeUnits: 4 } },
    { ...line, by: 'Order-CancelOrderFunction', counts: { writeUnits: 2 } },
    {
      ...line,
      resource: 'Local-OrderTable',
      by: 'Order-PlaceOrderFunction',
      counts: { writeUnits: 6, readUnits: 1 },
    },
  ]);
  expect(reading).toMatchObject({ writeUnits: 12, readUnits: 1, stockWriteUnits: 4 });
  expect(reading.usd).toBeCloseTo((12 * 0.625 + 0.125) / 1e6, 12);
});

it('the report stands by itself, and says what does not hold', () => {
  const recorder = new Recorder();
  recorder.started(performance.now());
  recorder.answered('GET /v1/<a>', answer(409, 'out-of-stock'), performance.now());
  const page = report({
    title: 'Under <load>',
    when: '2026-11-22T00:00:00Z',
    command: 'npm run load',
    recorder,
    cache: new Map([['Hit from cloudfront', 3]]),
    findings: {
      figures: { orders: 1 },
      checks: [
        { name: 'one that holds', holds: true, detail: '' },
        { name: 'one that does not', holds: false, detail: '7 & more' },
      ],
    },
  });
  expect(page).toContain('1 of 2 checks do not hold');
  expect(page).toContain('7 &#38; more');
  expect(page).not.toContain('<a>');
  expect(page.match(/<svg /g)!.length).toBeGreaterThanOrEqual(5);
  expect(page).not.toMatch(/(src|href)=|url\(|@import|NaN|Infinity/);
});
