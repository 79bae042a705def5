import { Duration, Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { CfnSchedule, CfnScheduleGroup } from 'aws-cdk-lib/aws-scheduler';
import { Construct } from 'constructs';
import type { DeadLetterQueue } from './dead-letter-queue.ts';

/** An EventBridge Scheduler schedule; its target gets `{"time": "<the time it was meant to run at>"}`. */
export class Schedule extends Construct {
  constructor(
    scope: Construct,
    props: {
      /** Unique in its stack, whose name is the schedule's group. */
      readonly name: string;
      readonly description: string;
      readonly expression: string;
      /** IANA; UTC unless told. */
      readonly timeZone?: string;
      readonly targetArn: string;
      /** The one action that starts the target. */
      readonly action: 'lambda:InvokeFunction' | 'states:StartExecution';
      /** What the scheduler could not start; also the target's own failures, if it has nowhere else for them. */
      readonly deadLetters: DeadLetterQueue;
    },
  ) {
    super(scope, 'Schedule');
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Starts ${props.name} on its schedule`,
    });
    role.addToPolicy(new PolicyStatement({ actions: [props.action], resources: [props.targetArn] }));
    role.addToPolicy(
      new PolicyStatement({ actions: ['sqs:SendMessage'], resources: [props.deadLetters.queueArn] }),
    );
    const schedule = new CfnSchedule(this, 'Resource', {
      name: props.name,
      groupName: scheduleGroup(this).ref,
      description: props.description,
      scheduleExpression: props.expression,
      scheduleExpressionTimezone: props.timeZone ?? 'UTC',
      flexibleTimeWindow: { mode: 'OFF' },
      target: {
        arn: props.targetArn,
        roleArn: role.roleArn,
        input: JSON.stringify({ time: '<aws.scheduler.scheduled-time>' }),
        deadLetterConfig: { arn: props.deadLetters.queueArn },
        retryPolicy: {
          maximumRetryAttempts: 10,
          maximumEventAgeInSeconds: Duration.hours(1).toSeconds(),
        },
      },
    });
    // Scheduler checks the role when the schedule is made.
    schedule.node.addDependency(role);
  }
}

/** One group a stack: schedules have short names, and two stages can share an account. */
function scheduleGroup(scope: Construct): CfnScheduleGroup {
  const stack = Stack.of(scope);
  const existing = stack.node.tryFindChild('Schedules') as CfnScheduleGroup | undefined;
  return existing ?? new CfnScheduleGroup(stack, 'Schedules', { name: stack.stackName });
}
