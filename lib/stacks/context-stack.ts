import type { Construct } from 'constructs';
import { functionId } from '../constructs/bundle.ts';
import { DeadLetterQueue } from '../constructs/dead-letter-queue.ts';
import { EventConsumer } from '../constructs/event-consumer.ts';
import { EventPipe } from '../constructs/event-pipe.ts';
import type { FunctionSpec, TableSpec, Trigger } from '../constructs/function-spec.ts';
import { HttpRoute, routeKeyOf } from '../constructs/http-route.ts';
import type { Platform } from '../constructs/platform.ts';
import { Schedule } from '../constructs/schedule.ts';
import { pascalCase, ServiceFunction } from '../constructs/service-function.ts';
import { askedByUserPool } from '../constructs/token-trigger.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** One context's functions with what triggers them, and the pipe by which its events leave. Holds no state. */
export class ContextStack extends FloodgateStack {
  readonly pipe: EventPipe | undefined;

  constructor(
    scope: Construct,
    name: string,
    props: {
      readonly description: string;
      readonly platform: Platform;
      readonly functions: readonly FunctionSpec[];
      /** The context's table, when its events leave through a pipe. */
      readonly outbox?: TableSpec;
    },
  ) {
    super(scope, pascalCase(name), props.platform.config, props.description);
    for (const spec of props.functions) addFunction(this, spec, props.platform);
    this.pipe = props.outbox && new EventPipe(this, props.outbox.name, props.platform);
  }
}

/** The function of a spec, with its trigger. A task has none: its workflow invokes it. */
export function addFunction(scope: Construct, spec: FunctionSpec, platform: Platform): ServiceFunction {
  const { trigger } = spec;
  if ('schedule' in trigger) return addScheduled(scope, spec, trigger, platform);
  const fn = new ServiceFunction(scope, spec, platform);
  if ('events' in trigger) fn.queue = new EventConsumer(fn, spec, trigger, platform).queue;
  if ('userPool' in trigger) askedByUserPool(fn.function, platform);
  if ('http' in trigger) {
    const publicApi = apiOf(spec, platform);
    const authorizerId = publicApi.authorizerOf(trigger.http);
    new HttpRoute(fn, {
      apiId: publicApi.api.apiId,
      routeKey: routeKeyOf(trigger.http),
      ...(authorizerId && { authorizerId }),
    });
  }
  return fn;
}

function addScheduled(
  scope: Construct,
  spec: FunctionSpec,
  { schedule, timeZone }: Extract<Trigger, { schedule: string }>,
  platform: Platform,
): ServiceFunction {
  const id = functionId(spec);
  const deadLetters = new DeadLetterQueue(scope, `${pascalCase(spec.name)}DeadLetters`, id, platform.alarms);
  const fn = new ServiceFunction(scope, spec, platform, deadLetters);
  new Schedule(fn, {
    name: spec.name,
    description: spec.description,
    expression: schedule,
    ...(timeZone && { timeZone: platform.config.businessTimeZone }),
    targetArn: fn.function.functionArn,
    action: 'lambda:InvokeFunction',
    deadLetters,
  });
  return fn;
}

function apiOf(spec: FunctionSpec, { publicApi }: Platform) {
  if (!publicApi) throw new Error(`${functionId(spec)} has a route, but its stack has no public API`);
  return publicApi;
}
