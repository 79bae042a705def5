import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { DefinitionBody, LogLevel, StateMachine, StateMachineType } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import { KeptLogGroup } from './kept-log-group.ts';
import type { Platform } from './platform.ts';
import { pascalCase, type ServiceFunction } from './service-function.ts';
import { sumOf, Watch } from './watch.ts';

const folder = join(import.meta.dirname, '../../statemachines');

/**
 * A state machine from its file in `statemachines/`. `tasks` is the one map from which come both the file's
 * `${<PascalName>Arn}` placeholders and the machine's right to invoke, so that neither can be forgotten.
 */
export class Workflow extends Construct {
  readonly stateMachine: StateMachine;

  /** @throws Error when the file's placeholders and `tasks` are not the same */
  constructor(
    scope: Construct,
    id: string,
    props: {
      /** The file without `.asl.json`. */
      readonly file: string;
      readonly type: StateMachineType;
      /** By function name as in its spec. */
      readonly tasks: ReadonlyMap<string, ServiceFunction>;
      readonly platform: Platform;
    },
  ) {
    super(scope, id);
    const { config, alarms } = props.platform;
    const path = join(folder, `${props.file}.asl.json`);
    const substitutions = Object.fromEntries(
      [...props.tasks].map(([name, task]) => [`${pascalCase(name)}Arn`, task.function.functionArn]),
    );
    checkPlaceholders(path, Object.keys(substitutions));

    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('states.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `What the workflow ${props.file} may do`,
    });
    role.addToPolicy(
      new PolicyStatement({
        actions: ['lambda:InvokeFunction'],
        resources: Object.values(substitutions),
      }),
    );
    this.stateMachine = new StateMachine(this, 'Machine', {
      stateMachineType: props.type,
      definitionBody: DefinitionBody.fromFile(path),
      definitionSubstitutions: substitutions,
      role,
      tracingEnabled: true,
      logs: {
        // Thirty events tell of a checkout that went well, and its order's own events tell the same.
        level: props.type === StateMachineType.EXPRESS ? LogLevel.ERROR : LogLevel.ALL,
        // Inputs and outputs hold what shoppers typed.
        includeExecutionData: false,
        destination: new KeptLogGroup(
          this,
          'Logs',
          config,
          // Under this prefix log delivery needs no policy of its own; those are limited to 5,120 characters a region.
          `/aws/vendedlogs/states/${Stack.of(this).stackName}-${props.file}`,
        ),
      },
    });
    for (const outcome of ['ExecutionsFailed', 'ExecutionsTimedOut']) {
      new Watch(this, outcome, {
        metric: sumOf('AWS/States', outcome, { StateMachineArn: this.stateMachine.stateMachineArn }),
        above: 0,
        // The worker's queue repeats a checkout; nobody repeats another workflow.
        minutes: props.type === StateMachineType.EXPRESS ? 5 : 1,
        meaning: `The workflow ${props.file} does not succeed: read its executions.`,
        runbook: `workflow-failing.md#${props.file}`,
        topic: alarms,
      });
    }
    if (props.type === StateMachineType.EXPRESS) {
      acknowledge(this, {
        'AwsSolutions-SF1':
          'Only failures are logged: what a checkout that went well did is in its order’s events, and a trace shows its times.',
      });
    }
    acknowledge(this, {
      'AwsSolutions-IAM5[Resource::*]':
        'X-Ray and CloudWatch’s log delivery take no resource in their actions (Step Functions guide, logging and tracing policies).',
    });
  }
}

function checkPlaceholders(path: string, given: readonly string[]): void {
  const asked = new Set([...readFileSync(path, 'utf8').matchAll(/\$\{(\w+)\}/g)].map(([, name]) => name));
  const missing = [...asked].filter((name) => name === undefined || !given.includes(name));
  const unused = given.filter((name) => !asked.has(name));
  if (missing.length > 0 || unused.length > 0) {
    throw new Error(
      `${path}: no function for ${missing.join(', ') || '–'}; not used by any state: ${unused.join(', ') || '–'}`,
    );
  }
}
