import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import type { FunctionSpec } from '../constructs/function-spec.ts';
import type { Platform } from '../constructs/platform.ts';
import { Workflow } from '../constructs/workflow.ts';
import { addFunction } from './context-stack.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/**
 * The payment saga: an Express workflow, the functions of its states, and the worker that runs it.
 * They belong to the contexts order and payment, but change together.
 */
export class CheckoutStack extends FloodgateStack {
  /** Where payments wait for the provider. */
  readonly queue: IQueue;

  constructor(scope: Construct, platform: Platform, functions: readonly FunctionSpec[]) {
    super(scope, 'Checkout', platform.config, 'the payment saga');
    const tasks = functions.filter(({ trigger }) => 'task' in trigger);
    const callers = functions.filter((spec) => !tasks.includes(spec));
    const { stateMachine: checkout } = new Workflow(this, 'Checkout', {
      file: 'checkout',
      type: StateMachineType.EXPRESS,
      tasks: new Map(tasks.map((spec) => [spec.name, addFunction(this, spec, platform)])),
      platform,
    });
    const called = callers.map((spec) => addFunction(this, spec, { ...platform, checkout }));
    this.queue = called.find(({ queue }) => queue)!.queue!;
  }
}
