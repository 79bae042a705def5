import { describe, expect, it } from 'vitest';
import { configOf } from '../../lib/config.ts';
import { type Law, laws } from './support/laws.ts';
import { appOf, type Resource, resourcesOf } from './support/synthesis.ts';

const dev = resourcesOf(appOf(configOf('dev')));
const prod = resourcesOf(appOf(configOf('prod')));

/** How to break each law, by its name: the type of the resource to spoil, and the spoiling. */
const breaches: Readonly<Record<string, readonly [type: string, spoil: (p: any) => unknown][]>> = {
  'a function has a role of its own, which only Lambda assumes, without managed policies': [
    ['AWS::Lambda::Function', (p) => delete p.Role],
    ['AWS::IAM::Role', (p) => Object.assign(p, { ManagedPolicyArns: ['arn'] })],
    ['AWS::IAM::Role', (p) => p.AssumeRolePolicyDocument.Statement.push({ Principal: { AWS: '*' } })],
  ],
  'a policy allows single actions': [
    ['AWS::IAM::Policy', (p) => Object.assign(p.PolicyDocument.Statement[0], { Action: 'dynamodb:*' })],
  ],
  'a policy names its resources, except for actions that take none and for keys of exports and settlements': [
    ['AWS::IAM::Policy', (p) => Object.assign(p.PolicyDocument.Statement[0], { Resource: '*' })],
    ['AWS::IAM::Policy', (p) => Object.assign(p.PolicyDocument.Statement[0], { Resource: ['arn:table/*'] })],
  ],
  'a role has no inline or managed policies besides its own': [
    ['AWS::IAM::Role', (p) => Object.assign(p, { Policies: [{}] })],
  ],
  'a role that a service other than Lambda assumes serves this account only': [
    [
      'AWS::IAM::Role',
      (p) => {
        p.AssumeRolePolicyDocument.Statement[0] = { Principal: { Service: 'pipes.amazonaws.com' } };
      },
    ],
  ],
  'a function writes JSON logs to a group of its own, and may write to no other': [
    ['AWS::Lambda::Function', (p) => delete p.LoggingConfig],
    ['AWS::Lambda::Function', (p) => Object.assign(p.LoggingConfig, { SystemLogLevel: 'INFO' })],
    [
      'AWS::IAM::Policy',
      (p) => Object.assign(p.PolicyDocument.Statement[0], { Action: 'logs:PutLogEvents', Resource: 'arn' }),
    ],
  ],
  'a log group forgets, but not before its time': [
    ['AWS::Logs::LogGroup', (p) => delete p.RetentionInDays],
    ['AWS::Logs::LogGroup', (p) => delete p.DeletionProtectionEnabled],
  ],
  'nobody may read, change or delete what is logged': [
    [
      'AWS::IAM::Policy',
      (p) => Object.assign(p.PolicyDocument.Statement[0], { Action: 'logs:GetLogEvents' }),
    ],
    [
      'AWS::IAM::Policy',
      (p) => Object.assign(p.PolicyDocument.Statement[0], { Action: 'logs:DeleteLogStream' }),
    ],
  ],
  'a function is traced, runs Node 24 on arm64, and has bounded memory and time': [
    ['AWS::Lambda::Function', (p) => delete p.TracingConfig],
    ['AWS::Lambda::Function', (p) => Object.assign(p, { Runtime: 'nodejs22.x' })],
    ['AWS::Lambda::Function', (p) => delete p.MemorySize],
    ['AWS::Lambda::Function', (p) => Object.assign(p, { Timeout: 900 })],
  ],
  'a function behind an HTTP API ends before the gateway gives up': [
    ['AWS::ApiGatewayV2::Integration', (p) => Object.assign(p, { TimeoutInMillis: 1000 })],
  ],
  'a function has bounded retries': [
    ['AWS::Lambda::EventInvokeConfig', (p) => delete p.FunctionName],
    ['AWS::Lambda::EventInvokeConfig', (p) => delete p.MaximumRetryAttempts],
    ['AWS::Lambda::EventInvokeConfig', (p) => delete p.MaximumEventAgeInSeconds],
  ],
  'a function that is invoked asynchronously has a place for its failures': [
    ['AWS::Lambda::EventInvokeConfig', (p) => delete p.DestinationConfig],
  ],
  'a function alarms on errors and throttles': [['AWS::CloudWatch::Alarm', (p) => delete p.Metrics]],
  'a queue has a dead-letter queue with bounded receives, or is one': [
    ['AWS::SQS::Queue', (p) => delete p.RedrivePolicy],
  ],
  'a queue is encrypted and takes no plain HTTP': [
    ['AWS::SQS::Queue', (p) => delete p.SqsManagedSseEnabled],
    ['AWS::SQS::QueuePolicy', (p) => Object.assign(p, { Queues: [] })],
  ],
  'a queue alarms on age; a dead-letter queue also on its first message': [
    ['AWS::CloudWatch::Alarm', (p) => delete p.Dimensions],
    ['AWS::CloudWatch::Alarm', (p) => p.MetricName?.endsWith('Visible') && delete p.MetricName],
  ],
  'a queue’s messages stay hidden for six times the timeout of the function that reads them': [
    ['AWS::SQS::Queue', (p) => Object.assign(p, { VisibilityTimeout: 30 })],
  ],
  'an event source mapping reports the failures of single messages': [
    ['AWS::Lambda::EventSourceMapping', (p) => delete p.FunctionResponseTypes],
  ],
  'a rule’s target has a dead-letter queue and bounded retries': [
    ['AWS::Events::Rule', (p) => delete p.Targets[0].DeadLetterConfig],
    ['AWS::Events::Rule', (p) => delete p.Targets[0].RetryPolicy],
  ],
  'a pipe sends new event items only, bisects, gives up, and has a dead-letter queue and an alarm': [
    ['AWS::Pipes::Pipe', (p) => delete p.SourceParameters.FilterCriteria],
    [
      'AWS::Pipes::Pipe',
      (p) => Object.assign(p.SourceParameters.DynamoDBStreamParameters, { BatchSize: 11 }),
    ],
    ['AWS::Pipes::Pipe', (p) => delete p.SourceParameters.DynamoDBStreamParameters.DeadLetterConfig],
    ['AWS::Pipes::Pipe', (p) => delete p.SourceParameters.DynamoDBStreamParameters.OnPartialBatchItemFailure],
    ['AWS::Pipes::Pipe', (p) => delete p.SourceParameters.DynamoDBStreamParameters.MaximumRetryAttempts],
    ['AWS::CloudWatch::Alarm', (p) => delete p.Metrics],
  ],
  'a schedule has a dead-letter queue and bounded retries': [
    ['AWS::Scheduler::Schedule', (p) => delete p.Target.DeadLetterConfig],
    ['AWS::Scheduler::Schedule', (p) => delete p.Target.RetryPolicy],
  ],
  'a workflow is traced, logs what no order tells but nothing that shoppers typed, and alarms': [
    ['AWS::StepFunctions::StateMachine', (p) => delete p.TracingConfiguration],
    [
      'AWS::StepFunctions::StateMachine',
      (p) => Object.assign(p.LoggingConfiguration, { IncludeExecutionData: true }),
    ],
    ['AWS::StepFunctions::StateMachine', (p) => Object.assign(p.LoggingConfiguration, { Level: 'OFF' })],
    ['AWS::CloudWatch::Alarm', (p) => delete p.Dimensions],
  ],
  'a table can be restored, is encrypted with a key of ours, and outlives its stack': [
    ['AWS::DynamoDB::Table', (p) => delete p.PointInTimeRecoverySpecification],
    ['AWS::DynamoDB::Table', (p) => delete p.SSESpecification],
    ['AWS::KMS::Key', (p) => delete p.EnableKeyRotation],
    ['AWS::DynamoDB::Table', (p) => delete p.DeletionProtectionEnabled],
    ['AWS::DynamoDB::Table', (p) => Object.assign(p, { BillingMode: 'PROVISIONED' })],
  ],
  'a user pool outlives its stack': [['AWS::Cognito::UserPool', (p) => delete p.DeletionProtection]],
  'a user pool with customers’ accounts refuses passwords from breaches, and logs every sign-in': [
    ['AWS::Cognito::UserPool', (p) => delete p.UserPoolAddOns],
    [
      'AWS::Cognito::UserPoolRiskConfigurationAttachment',
      (p) => delete p.CompromisedCredentialsRiskConfiguration,
    ],
    ['AWS::Cognito::LogDeliveryConfiguration', (p) => Object.assign(p, { LogConfigurations: [] })],
  ],
  'an app that people use is given no grant but the code, and never their password': [
    ['AWS::Cognito::UserPoolClient', (p) => Object.assign(p, { AllowedOAuthFlows: ['code', 'implicit'] })],
    ['AWS::Cognito::UserPoolClient', (p) => p.ExplicitAuthFlows.push('ALLOW_USER_PASSWORD_AUTH')],
  ],
  'a bucket is encrypted, closed to the public and to plain HTTP, and outlives its stack': [
    ['AWS::S3::Bucket', (p) => delete p.BucketEncryption],
    ['AWS::S3::Bucket', (p) => delete p.PublicAccessBlockConfiguration.BlockPublicAcls],
    ['AWS::S3::BucketPolicy', (p) => delete p.Bucket],
  ],
  'an alarm tells somebody, itself or through a composite alarm': [
    ['AWS::CloudWatch::Alarm', (p) => delete p.AlarmActions],
    ['AWS::CloudWatch::CompositeAlarm', (p) => delete p.AlarmRule],
  ],
  'a composite alarm tells somebody': [['AWS::CloudWatch::CompositeAlarm', (p) => delete p.AlarmActions]],
  'a topic is encrypted': [['AWS::SNS::Topic', (p) => delete p.KmsMasterKeyId]],
  'CloudWatch may publish to the topic of its alarms, and use its key': [
    ['AWS::SNS::TopicPolicy', (p) => Object.assign(p.PolicyDocument, { Statement: [{ Effect: 'Deny' }] })],
    ['AWS::KMS::Key', (p) => p.KeyPolicy.Statement.splice(1)],
  ],
};

describe.each(laws)('$name', (law) => {
  it.each([
    ['dev', dev],
    ['prod', prod],
  ])('in %s', (_stage, all) => {
    expect(law.broken(all)).toEqual([]);
  });

  it('would be noticed if one resource broke it', () => {
    expect(breaches[law.name]).toBeDefined();
    for (const [type, spoil] of breaches[law.name] ?? []) {
      expect(noticed(law, type, spoil), `${type}: ${spoil}`).toBe(true);
    }
  });
});

it('protects what is kept by more than its properties', () => {
  for (const type of ['AWS::DynamoDB::Table', 'AWS::Cognito::UserPool', 'AWS::S3::Bucket']) {
    const deletable = dev.map((one) => (one.type === type ? { ...one, deletionPolicy: 'Delete' } : one));
    expect(laws.filter((law) => law.broken(deletable).length > 0)).toHaveLength(1);
  }
});

/** Whether the law fails for at least one single resource of the type, spoilt while all others are as they were. */
function noticed(law: Law, type: string, spoil: (properties: any) => unknown): boolean {
  return dev
    .filter((one) => one.type === type)
    .some((victim) => {
      const spoilt: Resource = { ...victim, properties: structuredClone(victim.properties) };
      spoil(spoilt.properties);
      return law.broken(dev.map((one) => (one === victim ? spoilt : one))).length > 0;
    });
}
