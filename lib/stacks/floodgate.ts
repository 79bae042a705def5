import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { Config } from '../config.ts';
import { functionId } from '../constructs/bundle.ts';
import type { EventPipe } from '../constructs/event-pipe.ts';
import type { ContextName, FunctionSpec, TableSpec } from '../constructs/function-spec.ts';
import type { Platform } from '../constructs/platform.ts';
import { ApiStack } from './api-stack.ts';
import { CheckoutStack } from './checkout-stack.ts';
import { ContextStack } from './context-stack.ts';
import { DataStack } from './data-stack.ts';
import { EdgeStack } from './edge-stack.ts';
import { FinanceStack } from './finance-stack.ts';
import type { FloodgateStack } from './floodgate-stack.ts';
import { LimitsStack } from './limits-stack.ts';
import { ObservabilityStack } from './observability-stack.ts';
import { SandboxStack } from './sandbox-stack.ts';
import { StageStack } from './stage-stack.ts';

const contexts: readonly (readonly [ContextName, description: string])[] = [
  ['health', 'the API’s description of itself'],
  ['account', 'what accounts may do'],
  ['catalog', 'products and categories'],
  ['inventory', 'stock'],
  ['cart', 'carts and quotes'],
  ['order', 'orders, their expiry and their events'],
  ['payment', 'payments and the provider’s webhooks'],
  ['notification', 'e-mail to shoppers'],
  ['reporting', 'lists for operators'],
];

/** All stacks of one stage, in the order of their dependence, and the rules that their resources must satisfy. */
export function floodgate(
  app: App,
  config: Config,
  store: {
    readonly tables: readonly TableSpec[];
    readonly functions: readonly FunctionSpec[];
    /** The folder that `bundleHandlers` filled. */
    readonly bundles: string;
  },
): void {
  const { tables, functions, bundles } = store;
  const stores = new DataStack(app, config, tables);
  const { alarms } = new ObservabilityStack(app, config);
  const publicApi = new ApiStack(app, config, stores, alarms);
  const base: Platform = { config, bundles, stores, alarms, publicApi };
  const paymentProvider = new SandboxStack(app, base, functions.filter(ofContext('sandbox')));
  const platform: Platform = { ...base, paymentProvider };

  const withRoutes: FloodgateStack[] = [];
  const pipes = new Map<ContextName, EventPipe>();
  for (const [context, description] of contexts) {
    const own = functions.filter(ofContext(context)).filter((spec) => !ofCheckout(spec));
    const outbox = tables.find(({ name, events }) => name === context && events);
    if (own.length === 0 && !outbox) continue;
    const stack = new ContextStack(app, context, {
      description,
      platform,
      functions: own,
      ...(outbox && { outbox }),
    });
    withRoutes.push(stack);
    if (stack.pipe) pipes.set(context, stack.pipe);
  }
  const checkout = new CheckoutStack(app, platform, functions.filter(ofCheckout));
  const admission = new ContextStack(app, 'admission', {
    description: 'drops and their waiting room',
    platform: { ...platform, checkoutQueue: checkout.queue },
    functions: functions.filter(ofContext('admission')),
  });
  withRoutes.push(admission);
  const finance = new FinanceStack(app, platform, functions.filter(ofContext('finance')));
  const measured = { checkoutQueue: checkout.queue, orderPipe: pipes.get('order') };
  new LimitsStack(app, platform, functions.filter(ofContext('limits')), measured);
  const stage = new StageStack(app, config, publicApi, functions);
  for (const stack of [...withRoutes, finance]) stage.addStackDependency(stack);
  if (config.domain) new EdgeStack(app, config, config.domain);

  checkReservations(config, functions);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}

function ofContext(context: ContextName): (spec: FunctionSpec) => boolean {
  return (spec) => spec.context === context;
}

/** What runs the checkout workflow or is run by it lives in one stack with it, whosever function it is. */
function ofCheckout({ trigger, grants }: FunctionSpec): boolean {
  const task = 'task' in trigger && trigger.task === 'checkout';
  return task || grants.some((grant) => 'stateMachine' in grant);
}

function checkReservations(config: Config, functions: readonly FunctionSpec[]): void {
  const known = new Set(functions.map(({ context, name }) => `${context}-${name}`));
  const unknown = Object.keys(config.reservedConcurrency).filter((id) => !known.has(id));
  if (unknown.length > 0)
    throw new Error(`concurrency is reserved for unknown functions: ${unknown.join(', ')}`);
  const unreserved = functions.filter((spec) => spec.warm && !config.reservedConcurrency[functionId(spec)]);
  if (unreserved.length > 0)
    throw new Error(
      `no concurrency is reserved for ${unreserved.map(functionId).join(', ')}, to be made ready`,
    );
}
