import { beforeAll, describe, expect, it } from 'vitest';
import budget from '../../bench/budget.json' with { type: 'json' };
import { measureOrders, type OrderReading } from '../../bench/measure-order.ts';
import { type OrderCost, orderCost, totalOf } from '../../bench/order-cost.ts';
import calibration from '../../bench/scale/calibration.json' with { type: 'json' };
import { calibrate } from '../../bench/scale/calibration.ts';

/** The same figures as `npm run cost`, of fewer orders. */
describe('a one-line order from POST to captured, journalled and mailed', () => {
  let reading: OrderReading;
  let cost: OrderCost;
  beforeAll(async () => {
    reading = await measureOrders(2);
    cost = orderCost(reading);
  });

  it('causes what the scale model takes it to (npm run simulate:scale -- --calibrate)', async () => {
    const { order, soldOut } = await calibrate(reading);
    expect({ ...order, bill: undefined, soldOut }).toEqual({
      ...calibration.order,
      bill: undefined,
      soldOut: calibration.soldOut,
    });
    expect(Object.keys(order.bill)).toEqual(Object.keys(calibration.order.bill));
    // Bytes are of texts with ids and times in them.
    for (const [price, count] of Object.entries(calibration.order.bill))
      expect(order.bill[price]! / count, price).toBeCloseTo(1, price.endsWith('ytes') ? 1 : 3);
  });

  it('stays within its budget of write units', () => {
    expect(cost.writeUnits).toBeGreaterThan(0);
    expect(cost.writeUnits, JSON.stringify(cost.writes, undefined, 2)).toBeLessThanOrEqual(
      budget.writeUnitsPerOrder,
    );
  });

  it('stays within its budget of dollars', () => {
    expect(cost.usdPerMillion, JSON.stringify(cost.lines, undefined, 2)).toBeLessThanOrEqual(
      budget.usdPerMillionOrders,
    );
  });

  it('is billed for every part of its way', () => {
    const billed = cost.lines.map(({ line }) => line);
    expect(billed).toEqual(
      expect.arrayContaining([
        'DynamoDB: writes',
        'DynamoDB: reads',
        'CloudFront: requests',
        'WAF: requests',
        'HTTP API: requests',
        'Lambda: invocations',
        'Lambda: GB-seconds',
        'Step Functions: Express runs',
        'EventBridge: events',
        'EventBridge: archive',
        'Pipes: requests',
        'SQS: requests',
        'Logs: access',
        'X-Ray: traces',
      ]),
    );
    expect(cost.functions.map(({ function: name }) => name).sort()).toEqual(
      expect.arrayContaining([
        'finance-journal',
        'notification-send-mail',
        'order-place-order',
        'order-record-outcome',
        'order-run-checkout',
        'payment-call-provider',
      ]),
    );
  });

  it('pays for e-mail and for waiting on lines of their own', () => {
    expect(totalOf(cost.lines, 'e-mail')).toBe(100);
    expect(totalOf(cost.lines, 'provider')).toBeGreaterThan(0);
  });
});
