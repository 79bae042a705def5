import { describe, expect, it } from 'vitest';
import { configOf } from '../../lib/config.ts';
import { routeKeyOf } from '../../lib/constructs/http-route.ts';
import { functions } from '../../lib/stacks/specs.ts';
import { appOf, type Resource, resourcesOf } from './support/synthesis.ts';

const dev = resourcesOf(appOf(configOf('dev')));
const ofType = (type: string) => dev.filter((one) => one.type === type);
const refersTo = (value: any, { id }: Resource) => value?.Ref === id || value?.['Fn::GetAtt']?.[0] === id;

/** What a route leads to. */
function calledBy(routeKey: string): Resource {
  const route = ofType('AWS::ApiGatewayV2::Route').find(
    ({ properties }) => properties.RouteKey === routeKey,
  )!;
  const near = dev.filter(({ stack }) => stack === route.stack);
  const integration = near.find(
    ({ type, id }) =>
      type === 'AWS::ApiGatewayV2::Integration' &&
      JSON.stringify(route.properties.Target).includes(`"${id}"`),
  )!;
  return near.find((one) => refersTo(integration.properties.IntegrationUri, one))!;
}

const routes = functions.flatMap((spec) =>
  'http' in spec.trigger ? [{ spec, routeKey: routeKeyOf(spec.trigger.http) }] : [],
);

describe('the functions on the path of a drop', () => {
  const warm = routes.filter(({ spec }) => spec.warm);

  it('are those that a shopper meets from the waiting room to the order', () => {
    expect(warm.map(({ routeKey }) => routeKey).sort()).toEqual([
      'GET /v1/carts/{cartId}',
      'GET /v1/drops/{dropId}',
      'GET /v1/drops/{dropId}/tickets/{ticketId}',
      'POST /v1/carts',
      'POST /v1/drops/{dropId}/tickets',
      'POST /v1/orders',
      'PUT /v1/carts/{cartId}/lines/{sku}',
    ]);
    expect(functions.filter((spec) => spec.warm)).toHaveLength(warm.length);
  });

  it.each(warm)('$routeKey calls the alias of a version of what is deployed', ({ routeKey }) => {
    const alias = calledBy(routeKey);
    expect(alias).toMatchObject({ type: 'AWS::Lambda::Alias', properties: { Name: 'live' } });
    const version = ofType('AWS::Lambda::Version').find((one) =>
      refersTo(alias.properties.FunctionVersion, one),
    )!;
    expect(version.properties.FunctionName).toEqual(alias.properties.FunctionName);
    // What is provisioned is the schedule's to say: a deployment must not take it back.
    expect(alias.properties).not.toHaveProperty('ProvisionedConcurrencyConfig');
  });

  it.each(warm)('$routeKey is let through to the alias alone', ({ routeKey }) => {
    const alias = calledBy(routeKey);
    const fn = dev.find((one) => refersTo(alias.properties.FunctionName, one))!;
    const allowed = ofType('AWS::Lambda::Permission').filter(({ stack }) => stack === alias.stack);
    const on = (one: Resource) => allowed.filter(({ properties }) => refersTo(properties.FunctionName, one));
    expect(on(alias)).toHaveLength(1);
    expect(on(fn)).toEqual([]);
  });

  it('take their environments from what is reserved for them', () => {
    const { reservedConcurrency } = configOf('prod');
    const [{ spec }] = warm as [(typeof warm)[0]];
    const { [`${spec.context}-${spec.name}`]: _, ...others } = reservedConcurrency;
    expect(() => appOf({ ...configOf('prod'), reservedConcurrency: others })).toThrow(
      `no concurrency is reserved for ${spec.context}-${spec.name}`,
    );
  });
});

it('a route leads to nothing that the gateway may not call yet', () => {
  for (const integration of ofType('AWS::ApiGatewayV2::Integration')) {
    const awaited = ofType('AWS::Lambda::Permission').filter(
      ({ stack, id }) => stack === integration.stack && integration.dependsOn.includes(id),
    );
    expect(
      awaited.map(({ properties }) => properties.FunctionName),
      `${integration.stack}/${integration.id}`,
    ).toEqual([integration.properties.IntegrationUri]);
  }
});

it('the other routes call their functions themselves', () => {
  for (const { routeKey } of routes.filter(({ spec }) => !spec.warm))
    expect(calledBy(routeKey).type, routeKey).toBe('AWS::Lambda::Function');
});
