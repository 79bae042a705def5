import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Route } from '../../functions/kernel/contract.ts';
import { configOf } from '../../lib/config.ts';
import { functionId } from '../../lib/constructs/bundle.ts';
import { needsToken, routeKeyOf } from '../../lib/constructs/http-route.ts';
import { pascalCase } from '../../lib/constructs/service-function.ts';
import { functions, tables } from '../../lib/stacks/specs.ts';
import { appOf, resourcesOf } from './support/synthesis.ts';

const root = join(import.meta.dirname, '../..');
const contexts = readdirSync(join(root, 'functions')).filter((name) => name !== 'kernel');
const resources = resourcesOf(appOf(configOf('dev')));
const ofType = (type: string) => resources.filter((one) => one.type === type);

function filesIn(...folder: string[]): string[] {
  const path = join(root, ...folder);
  return existsSync(path) ? readdirSync(path) : [];
}

/** `<context>-<name>` of every file in the handlers' folders that ends so. */
function handlerFiles(wanted: (file: string) => boolean, suffix: string): string[] {
  return contexts
    .flatMap((context) =>
      filesIn('functions', context, 'handlers')
        .filter(wanted)
        .map((file) => `${context}-${file.slice(0, -suffix.length)}`),
    )
    .sort();
}

describe('what is written is deployed', () => {
  const specified = functions.map(functionId).sort();

  it('has no spec twice', () => {
    expect(new Set(specified).size).toBe(specified.length);
  });

  it('every handler, once', () => {
    expect(handlerFiles((file) => !file.endsWith('.infra.ts'), '.ts')).toEqual(specified);
    expect(handlerFiles((file) => file.endsWith('.infra.ts'), '.infra.ts')).toEqual(specified);
  });

  it('every spec as a function', () => {
    const deployed = ofType('AWS::Lambda::Function').map(({ properties }) => properties.Description);
    expect(deployed.sort()).toEqual(functions.map(({ description }) => description).sort());
  });

  it('every table', () => {
    const written = contexts.filter((context) => filesIn('functions', context).includes('table.infra.ts'));
    expect(tables.map(({ name }) => name).sort()).toEqual(written.sort());
    expect(ofType('AWS::DynamoDB::Table')).toHaveLength(tables.length);
  });

  it('a pipe for every table with events, and for no other', () => {
    const sources = ofType('AWS::Pipes::Pipe').map(
      ({ properties }) => properties.TargetParameters.EventBridgeEventBusParameters.Source,
    );
    const outboxes = tables.filter(({ events }) => events).map(({ name }) => `floodgate.${name}`);
    expect(sources.sort()).toEqual(outboxes.sort());
    expect(sources).not.toEqual([]);
  });

  it('every schedule, and those of the finance workflows', () => {
    const scheduled = functions.filter(({ trigger }) => 'schedule' in trigger).map(({ name }) => name);
    const schedules = ofType('AWS::Scheduler::Schedule').map(({ properties }) => properties.Name);
    expect(schedules.sort()).toEqual([...scheduled, 'finance-export', 'finance-reconcile'].sort());
  });

  it('every workflow, with all of its tasks', () => {
    const files = filesIn('statemachines').filter((file) => file.endsWith('.asl.json'));
    const machines = ofType('AWS::StepFunctions::StateMachine');
    expect(machines).toHaveLength(files.length);
    const substituted = machines.flatMap(({ properties }) => Object.keys(properties.DefinitionSubstitutions));
    const tasks = functions.filter(({ trigger }) => 'task' in trigger);
    expect(substituted.sort()).toEqual(tasks.map(({ name }) => `${pascalCase(name)}Arn`).sort());
    for (const file of files) {
      const asked = readFileSync(join(root, 'statemachines', file), 'utf8').matchAll(/\$\{(\w+)\}/g);
      for (const [, placeholder] of asked) expect(substituted).toContain(placeholder);
    }
  });
});

describe('every event consumer', () => {
  it('has a rule that takes its events, and replays only if it accepts them', () => {
    const rules = ofType('AWS::Events::Rule').map(({ properties }) => properties.EventPattern);
    for (const { trigger } of functions) {
      if (!('events' in trigger)) continue;
      for (const { source, type } of trigger.events) {
        const replays = trigger.replays === 'exclude' ? [{ exists: false }] : undefined;
        const pattern = rules.find(
          (rule) =>
            rule.source.includes(source) &&
            rule['detail-type'].includes(type) &&
            JSON.stringify(rule['replay-name']) === JSON.stringify(replays),
        );
        expect(pattern, `${source} ${type}`).toBeDefined();
      }
    }
  });
});

describe('every route', async () => {
  const routes = await routesOfContracts();

  it('was found in the contracts', () => {
    expect(routes.length).toBeGreaterThan(10);
    expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length);
  });

  it('has exactly one function, which serves that very constant', () => {
    const served = functions.flatMap(({ trigger }) => ('http' in trigger ? [trigger.http] : []));
    expect(served.map(({ id }) => id).sort()).toEqual(routes.map(({ id }) => id).sort());
    expect(routes.filter((route) => !served.includes(route)).map(({ id }) => id)).toEqual([]);
  });

  it('is at the gateway, which demands a token where the contract does', () => {
    const deployed = ofType('AWS::ApiGatewayV2::Route')
      .filter(({ stack }) => !stack.endsWith('-Sandbox'))
      .map(({ properties: p }) => `${p.RouteKey} ${p.AuthorizationType}`);
    const declared = routes.map((route) => `${routeKeyOf(route)} ${needsToken(route) ? 'JWT' : 'NONE'}`);
    expect(deployed.sort()).toEqual(declared.sort());
  });

  it('gets past the gateway with a system’s token where it names a scope, and nowhere else', () => {
    const machines = ofType('AWS::Cognito::UserPoolClient').filter(
      ({ properties }) => properties.GenerateSecret,
    );
    expect(machines.length).toBeGreaterThan(0);
    const forMachines = ofType('AWS::ApiGatewayV2::Authorizer').filter(
      ({ properties }) => properties.JwtConfiguration.Audience.length > 1,
    );
    const open = ofType('AWS::ApiGatewayV2::Route').filter(({ properties }) =>
      forMachines.some(({ id }) => JSON.stringify(properties.AuthorizerId ?? '').includes(id)),
    );
    expect(open.map(({ properties }) => properties.RouteKey).sort()).toEqual(
      routes
        .filter(({ machineScope }) => machineScope)
        .map(routeKeyOf)
        .sort(),
    );
  });

  it('may be invoked by the gateway for that route alone', () => {
    const permissions = ofType('AWS::Lambda::Permission')
      .map(({ properties }) => properties)
      .filter(({ Principal }) => Principal === 'apigateway.amazonaws.com');
    expect(permissions).toHaveLength(ofType('AWS::ApiGatewayV2::Route').length);
    for (const { SourceArn } of permissions) {
      const path = SourceArn['Fn::Join'][1].at(-1);
      const everything = path === '/*/*';
      expect(everything || /^\/\*\/[A-Z]+\/v1\/\S+$/.test(path), path).toBe(true);
    }
    const catchAll = permissions.filter(({ SourceArn }) => SourceArn['Fn::Join'][1].at(-1) === '/*/*');
    expect(catchAll).toHaveLength(
      ofType('AWS::ApiGatewayV2::Route').filter(({ properties }) => properties.RouteKey === '$default')
        .length,
    );
  });
});

async function routesOfContracts(): Promise<Route[]> {
  const contracts = contexts.filter((context) => filesIn('functions', context).includes('contract.ts'));
  const modules = await Promise.all(
    contracts.map((context) => import(`../../functions/${context}/contract.ts`)),
  );
  return modules.flatMap((module) => Object.values(module).filter(isRoute));
}

function isRoute(value: unknown): value is Route {
  return typeof value === 'object' && value !== null && 'audience' in value && 'responses' in value;
}

describe('the user pool', () => {
  it('asks the function by its name before it makes tokens, and nobody else may', () => {
    const [pool] = ofType('AWS::Cognito::UserPool');
    const { LambdaArn, LambdaVersion } = pool!.properties.LambdaConfig.PreTokenGenerationConfig;
    const [asked] = ofType('AWS::Lambda::Function').filter(({ properties }) => properties.FunctionName);
    expect(LambdaVersion).toBe('V2_0');
    expect(JSON.stringify(LambdaArn)).toContain(`:function:${asked!.properties.FunctionName}"`);
    const others = ofType('AWS::Lambda::Permission').filter(
      ({ properties }) => properties.Principal !== 'apigateway.amazonaws.com',
    );
    expect(others).toHaveLength(1);
    const { FunctionName, Principal, SourceArn } = others[0]!.properties;
    expect(FunctionName).toEqual({ 'Fn::GetAtt': [asked!.id, 'Arn'] });
    expect([Principal, JSON.stringify(SourceArn).includes(pool!.id)]).toEqual([
      'cognito-idp.amazonaws.com',
      true,
    ]);
  });
});
