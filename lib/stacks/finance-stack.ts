import { StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { DeadLetterQueue } from '../constructs/dead-letter-queue.ts';
import type { FunctionSpec } from '../constructs/function-spec.ts';
import type { Platform } from '../constructs/platform.ts';
import { Schedule } from '../constructs/schedule.ts';
import { Workflow } from '../constructs/workflow.ts';
import { addFunction } from './context-stack.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** The ledger's consumers and routes, and the daily export: a Standard workflow on a schedule. */
export class FinanceStack extends FloodgateStack {
  constructor(scope: Construct, platform: Platform, functions: readonly FunctionSpec[]) {
    super(scope, 'Finance', platform.config, 'the ledger and the daily export');
    const added = new Map(functions.map((spec) => [spec, addFunction(this, spec, platform)]));
    const tasks = [...added].filter(([{ trigger }]) => 'task' in trigger);
    const workflow = new Workflow(this, 'Export', {
      file: 'finance-export',
      type: StateMachineType.STANDARD,
      tasks: new Map(tasks.map(([spec, fn]) => [spec.name, fn])),
      platform,
    });
    new Schedule(workflow, {
      name: 'finance-export',
      description: 'Exports the business day that has just ended',
      expression: platform.config.exportSchedule,
      timeZone: platform.config.businessTimeZone,
      targetArn: workflow.stateMachine.stateMachineArn,
      action: 'states:StartExecution',
      deadLetters: new DeadLetterQueue(workflow, 'DeadLetters', 'the finance export', platform.alarms),
    });
  }
}
