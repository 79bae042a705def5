import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DeadLetterQueue } from '../constructs/dead-letter-queue.ts';
import type { FunctionSpec, Trigger } from '../constructs/function-spec.ts';
import type { Platform } from '../constructs/platform.ts';
import { Schedule } from '../constructs/schedule.ts';
import { pascalCase, type ServiceFunction } from '../constructs/service-function.ts';
import { Workflow } from '../constructs/workflow.ts';
import { addFunction } from './context-stack.ts';
import { FloodgateStack } from './floodgate-stack.ts';

type TaskName = Extract<Trigger, { task: unknown }>['task'];

/** The ledger's consumers and routes, and its daily work: Standard workflows on a schedule. */
export class FinanceStack extends FloodgateStack {
  constructor(scope: Construct, platform: Platform, functions: readonly FunctionSpec[]) {
    super(scope, 'Finance', platform.config, 'the ledger, the daily export and the reconciliation');
    const added = new Map(functions.map((spec) => [spec, addFunction(this, spec, platform)]));
    const { exportSchedule, businessTimeZone } = platform.config;
    this.#daily('finance-export', added, platform, {
      description: 'Exports the business day that has just ended',
      expression: exportSchedule,
      timeZone: businessTimeZone,
    });
    this.#daily('finance-reconcile', added, platform, {
      description: 'Compares the journal with what the payment provider has settled',
      // The provider's day ends at midnight UTC; an hour without its file is no loss.
      expression: 'cron(0 3-8 * * ? *)',
      timeZone: 'UTC',
    });
  }

  /** A workflow of the tasks that bear its name, and its schedule. */
  #daily(
    name: TaskName,
    added: ReadonlyMap<FunctionSpec, ServiceFunction>,
    platform: Platform,
    schedule: { readonly description: string; readonly expression: string; readonly timeZone: string },
  ): void {
    const tasks = [...added].filter(([{ trigger }]) => 'task' in trigger && trigger.task === name);
    const workflow = new Workflow(this, pascalCase(name.replace('finance-', '')), {
      file: name,
      type: StateMachineType.STANDARD,
      tasks: new Map(tasks.map(([spec, fn]) => [spec.name, fn])),
      platform,
    });
    new Schedule(workflow, {
      name,
      ...schedule,
      targetArn: workflow.stateMachine.stateMachineArn,
      action: 'states:StartExecution',
      deadLetters: new DeadLetterQueue(workflow, 'DeadLetters', `the workflow ${name}`, platform.alarms),
    });
  }
}
