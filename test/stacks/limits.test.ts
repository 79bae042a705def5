import { describe, expect, it } from 'vitest';
import documented from '../../bench/limits.json' with { type: 'json' };
import { configOf } from '../../lib/config.ts';
import { functionId } from '../../lib/constructs/bundle.ts';
import { throttlesOf } from '../../lib/constructs/throttles.ts';
import { functions } from '../../lib/stacks/specs.ts';
import { appOf, resourcesOf } from './support/synthesis.ts';

const routes = functions.flatMap((spec) =>
  'http' in spec.trigger ? [{ id: functionId(spec), route: spec.trigger.http }] : [],
);

describe.each(['dev', 'prod'])('the limits of %s', (stage) => {
  const config = configOf(stage);
  const resources = resourcesOf(appOf(config));
  const ofType = (type: string) => resources.filter((one) => one.type === type);
  const reservedFor = (priority: string) =>
    routes
      .filter(({ route }) => route.priority === priority)
      .reduce((sum, { id }) => sum + (config.reservedConcurrency[id] ?? 0), 0);

  it('leave 100 of 1,000 environments unreserved at least', () => {
    const reserved = ofType('AWS::Lambda::Function').map(
      ({ properties }) => properties.ReservedConcurrentExecutions ?? 0,
    );
    const sum = reserved.reduce((total, one) => total + one, 0);
    expect(sum).toBe(Object.values(config.reservedConcurrency).reduce((total, one) => total + one, 0));
    expect(1_000 - sum).toBeGreaterThanOrEqual(100);
  });

  it('cap every function of browsing and carts, so that together they leave most to buyers', () => {
    for (const { id, route } of routes) {
      const capped = route.priority === 'browse' || (route.priority === 'cart' && id.startsWith('cart-'));
      if (capped) expect(config.reservedConcurrency[id], id).toBeGreaterThan(0);
    }
    expect(reservedFor('browse') + reservedFor('cart')).toBeLessThan(500);
  });

  it('let no more letters wait for the e-mail service at once than it takes while they do', () => {
    const [mapping] = ofType('AWS::Lambda::EventSourceMapping').filter(({ properties }) =>
      JSON.stringify(properties.FunctionName).includes('SendMail'),
    );
    const { BatchSize, ScalingConfig } = mapping!.properties;
    const rate = documented.limits['ses.sendRate'].value;
    // Those of one second go at once, and each waits fifteen seconds at most (send-mail.ts).
    expect(BatchSize * ScalingConfig.MaximumConcurrency).toBeLessThan(rate * 15);
  });

  it('keep environments for orders and for every part of a payment', () => {
    const { concurrency } = config.checkout;
    expect(config.reservedConcurrency['order-place-order']).toBeGreaterThan(0);
    expect(config.reservedConcurrency['order-pay-order']).toBeGreaterThan(0);
    expect(config.reservedConcurrency['order-run-checkout']).toBeGreaterThanOrEqual(concurrency);
    expect(config.reservedConcurrency['payment-call-provider']).toBeGreaterThanOrEqual(concurrency);
  });

  it('throttle a route at the gateway below what its reservation serves', () => {
    const publicStage = ofType('AWS::ApiGatewayV2::Stage').find((one) => one.stack.endsWith('-Stage'))!;
    const settings = publicStage.properties.RouteSettings;
    expect(settings).toEqual(throttlesOf(config, functions));
    const known = ofType('AWS::ApiGatewayV2::Route').map(({ properties }) => properties.RouteKey);
    for (const [key, { ThrottlingRateLimit, ThrottlingBurstLimit }] of Object.entries<any>(settings)) {
      expect(known).toContain(key);
      expect(ThrottlingRateLimit).toBeGreaterThan(0);
      const { id } = routes.find(
        ({ route }) => `${route.method} ${route.path}` === key || route.path === key,
      )!;
      expect(ThrottlingBurstLimit).toBe(config.reservedConcurrency[id]);
    }
  });

  it('let a function before a quota count in that quota alone, and the others only look', () => {
    const statements = ofType('AWS::IAM::Policy')
      .flatMap(({ properties }) => properties.PolicyDocument.Statement)
      .filter(({ Condition }) => Condition?.['ForAllValues:StringLike']?.['dynamodb:LeadingKeys']);
    const updated = statements
      .filter(({ Action }) => [Action].flat().includes('dynamodb:UpdateItem'))
      .flatMap(({ Condition }) => Condition['ForAllValues:StringLike']['dynamodb:LeadingKeys']);
    const counting = updated.filter((partition) => /^QUOTA#[a-z-]+#\*$/.test(partition));
    expect(counting).toHaveLength(routes.filter(({ route }) => route.quota).length);
    // Old orders forget their address; who measures and who signs out say so in the item that all look at.
    expect(updated.filter((partition) => !counting.includes(partition)).sort()).toEqual([
      'ORDER#*',
      'PRESSURE',
      'PRESSURE',
    ]);
  });
});
