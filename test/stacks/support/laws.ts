import type { Resource } from './synthesis.ts';

/**
 * What must hold of every resource of a kind, so that a new function or queue cannot forget it.
 * `broken` mends nothing: each returns what is wrong, and an empty list when all is well.
 */
export interface Law {
  readonly name: string;
  /** Descriptions of the resources that break the law. */
  readonly broken: (all: readonly Resource[]) => string[];
}

// Service Authorization Reference, Amazon CloudWatch Logs: log delivery has no resource types.
const logDelivery = [
  'logs:CreateLogDelivery',
  'logs:GetLogDelivery',
  'logs:UpdateLogDelivery',
  'logs:DeleteLogDelivery',
  'logs:ListLogDeliveries',
  'logs:PutResourcePolicy',
  'logs:DescribeResourcePolicies',
  'logs:DescribeLogGroups',
];

const unscopable = new Set([
  // Service Authorization Reference, AWS X-Ray: no resource types.
  'xray:PutTraceSegments',
  'xray:PutTelemetryRecords',
  'xray:GetSamplingRules',
  'xray:GetSamplingTargets',
  // Service Authorization Reference, Amazon CloudWatch: no resource types.
  'cloudwatch:GetMetricData',
  ...logDelivery,
]);

/** To write lines, and to have AWS's log delivery write them; there is no right to change one. */
const writesLogs = new Set(['logs:CreateLogStream', 'logs:PutLogEvents', ...logDelivery]);

const nameOf = (resource: Resource) => `${resource.stack}/${resource.id}`;
const list = <T>(value: T | readonly T[] | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T];
const text = (value: unknown) => JSON.stringify(value) ?? '';
const ofType = (all: readonly Resource[], type: string) => all.filter((one) => one.type === type);

/** Whether `value` is a Ref or a GetAtt of that resource. */
function refersTo(value: any, target: Resource): boolean {
  return value?.Ref === target.id || value?.['Fn::GetAtt']?.[0] === target.id;
}
const inStackOf = (resource: Resource) => (other: Resource) => other.stack === resource.stack;

function allOf(type: string, wrong: (one: Resource, all: readonly Resource[]) => unknown) {
  return (all: readonly Resource[]) =>
    ofType(all, type)
      .map((one) => ({ one, fault: wrong(one, all.filter(inStackOf(one))) }))
      .filter(({ fault }) => fault)
      .map(({ one, fault }) => `${nameOf(one)}: ${fault}`);
}

function statementsOf(role: Resource, all: readonly Resource[]): any[] {
  return all
    .filter(inStackOf(role))
    .filter(
      (one) => one.type === 'AWS::IAM::Policy' && one.properties.Roles.some((r: any) => refersTo(r, role)),
    )
    .flatMap((policy) => policy.properties.PolicyDocument.Statement);
}

function roleOf(fn: Resource, all: readonly Resource[]): Resource | undefined {
  return ofType(all, 'AWS::IAM::Role').find((role) => refersTo(fn.properties.Role, role));
}

function alarmsOn(target: Resource, metric: string, all: readonly Resource[]): Resource[] {
  return ofType(all, 'AWS::CloudWatch::Alarm')
    .filter(inStackOf(target))
    .filter(({ properties }) => {
      const metrics = [properties, ...list(properties.Metrics).map((m: any) => m.MetricStat?.Metric ?? {})];
      return metrics.some(
        (m) => m.MetricName === metric && list<any>(m.Dimensions).some((d) => refersTo(d.Value, target)),
      );
    });
}

/** Everything that names a queue as the place for what cannot be delivered. */
function deadLetterTargets(all: readonly Resource[]): any[] {
  return all.flatMap(({ type, properties: p }) => {
    if (type === 'AWS::SQS::Queue') return [p.RedrivePolicy?.deadLetterTargetArn];
    if (type === 'AWS::Events::Rule') return list<any>(p.Targets).map((t) => t.DeadLetterConfig?.Arn);
    if (type === 'AWS::Scheduler::Schedule') return [p.Target.DeadLetterConfig?.Arn];
    if (type === 'AWS::Lambda::EventInvokeConfig') return [p.DestinationConfig?.OnFailure?.Destination];
    if (type === 'AWS::Pipes::Pipe') {
      return [p.SourceParameters.DynamoDBStreamParameters.DeadLetterConfig?.Arn];
    }
    return [];
  });
}

function isDeadLetterQueue(queue: Resource, all: readonly Resource[]): boolean {
  return deadLetterTargets(all.filter(inStackOf(queue))).some((arn) => arn && refersTo(arn, queue));
}

function deniesPlainHttp(policyType: string, property: string) {
  return (target: Resource, all: readonly Resource[]) =>
    ofType(all, policyType).some(
      ({ properties }) =>
        list<any>(properties[property]).some((value) => refersTo(value, target)) &&
        properties.PolicyDocument.Statement.some(
          (statement: any) =>
            statement.Effect === 'Deny' && statement.Condition?.Bool?.['aws:SecureTransport'] === 'false',
        ),
    );
}
/** Whether a resource's policy lets CloudWatch do something for this account. */
function allows(document: any, action: string): boolean {
  return document.Statement.some(
    (statement: any) =>
      statement.Effect === 'Allow' &&
      statement.Principal?.Service === 'cloudwatch.amazonaws.com' &&
      list(statement.Action).includes(action) &&
      statement.Condition?.StringEquals?.['aws:SourceAccount'] !== undefined,
  );
}
const queueDeniesPlainHttp = deniesPlainHttp('AWS::SQS::QueuePolicy', 'Queues');
const bucketDeniesPlainHttp = deniesPlainHttp('AWS::S3::BucketPolicy', 'Bucket');

const isRetained = (one: Resource) => one.deletionPolicy === 'Retain' && one.updateReplacePolicy === 'Retain';

export const laws: readonly Law[] = [
  {
    name: 'a function has a role of its own, which only Lambda assumes, without managed policies',
    broken: allOf('AWS::Lambda::Function', (fn, all) => {
      const role = roleOf(fn, all);
      if (!role) return 'no role';
      const sharers = ofType(all, 'AWS::Lambda::Function').filter((other) =>
        refersTo(other.properties.Role, role),
      );
      if (sharers.length > 1) return 'shares its role';
      if (role.properties.ManagedPolicyArns) return 'managed policies';
      const principals = role.properties.AssumeRolePolicyDocument.Statement.map((s: any) => s.Principal);
      return text(principals) !== '[{"Service":"lambda.amazonaws.com"}]' && 'others may assume its role';
    }),
  },
  {
    name: 'a policy allows single actions',
    broken: allOf('AWS::IAM::Policy', ({ properties }) =>
      properties.PolicyDocument.Statement.filter((s: any) => s.Effect === 'Allow')
        .flatMap((s: any) => list<string>(s.Action))
        .filter((action: string) => action.includes('*'))
        .join(),
    ),
  },
  {
    name: 'a policy names its resources, except for actions that take none and for keys of exports and settlements',
    broken: allOf('AWS::IAM::Policy', ({ properties }) =>
      properties.PolicyDocument.Statement.filter((s: any) => s.Effect === 'Allow')
        .filter((s: any) => !list<string>(s.Action).every((action) => unscopable.has(action)))
        .filter((s: any) => {
          const wild = list<any>(s.Resource).filter((resource) => text(resource).includes('*'));
          const keys = wild.every((resource) => /"\/(exports|settlements)\/\*"\]\]\}$/.test(text(resource)));
          return wild.length > 0 && !(keys && list<string>(s.Action).every((a) => /^s3:.*Object$/.test(a)));
        })
        .map(text)
        .join(),
    ),
  },
  {
    name: 'a role has no inline or managed policies besides its own',
    broken: allOf(
      'AWS::IAM::Role',
      ({ properties }) => (properties.Policies || properties.ManagedPolicyArns) && 'other policies',
    ),
  },
  {
    name: 'a role that a service other than Lambda assumes serves this account only',
    broken: allOf('AWS::IAM::Role', ({ properties }) => {
      const [statement] = properties.AssumeRolePolicyDocument.Statement;
      if (statement.Principal.Service === 'lambda.amazonaws.com') return false;
      return !statement.Condition?.StringEquals?.['aws:SourceAccount'] && 'any account';
    }),
  },
  {
    name: 'a function writes JSON logs to a group of its own, and may write to no other',
    broken: allOf('AWS::Lambda::Function', (fn, all) => {
      const { LogFormat, LogGroup, SystemLogLevel } = fn.properties.LoggingConfig ?? {};
      const group = ofType(all, 'AWS::Logs::LogGroup').find((one) => refersTo(LogGroup, one));
      if (LogFormat !== 'JSON' || !group) return 'no JSON logs of its own';
      if (SystemLogLevel !== 'WARN') return 'a line of Lambda’s own for every start and end';
      const role = roleOf(fn, all);
      const statements = role ? statementsOf(role, all) : [];
      const writes = statements.filter((s) => list<string>(s.Action).some((a) => a.startsWith('logs:')));
      return writes.length === 1 && list<any>(writes[0].Resource).every((arn) => refersTo(arn, group))
        ? false
        : 'its role may write to other log groups, or to none';
    }),
  },
  {
    name: 'a log group forgets, but not before its time',
    broken: allOf('AWS::Logs::LogGroup', (group) => {
      if (!group.properties.RetentionInDays) return 'no retention';
      return !(group.properties.DeletionProtectionEnabled && isRetained(group)) && 'can be deleted';
    }),
  },
  {
    name: 'nobody may read, change or delete what is logged',
    broken: allOf('AWS::IAM::Policy', ({ properties }) =>
      properties.PolicyDocument.Statement.filter((s: any) => s.Effect === 'Allow')
        .flatMap((s: any) => list<string>(s.Action))
        .filter((action: string) => action.startsWith('logs:') && !writesLogs.has(action))
        .join(),
    ),
  },
  {
    name: 'a function is traced, runs Node 24 on arm64, and has bounded memory and time',
    broken: allOf('AWS::Lambda::Function', (fn, all) => {
      const { properties: p } = fn;
      if (p.TracingConfig?.Mode !== 'Active') return 'not traced';
      if (p.Runtime !== 'nodejs24.x' || text(p.Architectures) !== '["arm64"]') return 'another runtime';
      if (!(p.MemorySize >= 256 && p.MemorySize <= 2048)) return `memory ${p.MemorySize} MB`;
      // Nobody waits for what a schedule runs; 900 s are Lambda's most.
      const alone = ofType(all, 'AWS::Scheduler::Schedule').some((one) =>
        refersTo(one.properties.Target.Arn, fn),
      );
      return !(p.Timeout >= 1 && p.Timeout <= (alone ? 900 : 300)) && `timeout ${p.Timeout} s`;
    }),
  },
  {
    name: 'a function behind an HTTP API ends before the gateway gives up',
    broken: allOf('AWS::ApiGatewayV2::Integration', ({ properties: p }, all) => {
      const alias = ofType(all, 'AWS::Lambda::Alias').find((one) => refersTo(p.IntegrationUri, one));
      const named = alias ? alias.properties.FunctionName : p.IntegrationUri;
      const fn = ofType(all, 'AWS::Lambda::Function').find((one) => refersTo(named, one));
      return (
        !(fn && fn.properties.Timeout * 1000 < p.TimeoutInMillis && p.TimeoutInMillis <= 30_000) && 'too slow'
      );
    }),
  },
  {
    name: 'a function has bounded retries',
    broken: allOf('AWS::Lambda::Function', (fn, all) => {
      const invokes = ofType(all, 'AWS::Lambda::EventInvokeConfig').filter((one) =>
        refersTo(one.properties.FunctionName, fn),
      );
      const [p] = invokes.map(({ properties }) => properties);
      if (!p || invokes.length > 1) return 'no configuration of asynchronous invocations';
      return (
        !(p.MaximumRetryAttempts <= 2 && p.MaximumEventAgeInSeconds <= 21_600) && 'retries without bounds'
      );
    }),
  },
  {
    name: 'a function that is invoked asynchronously has a place for its failures',
    broken: allOf('AWS::Scheduler::Schedule', ({ properties }, all) => {
      const fn = ofType(all, 'AWS::Lambda::Function').find((one) => refersTo(properties.Target.Arn, one));
      if (!fn) return false;
      const invoke = ofType(all, 'AWS::Lambda::EventInvokeConfig').find((one) =>
        refersTo(one.properties.FunctionName, fn),
      );
      return !invoke?.properties.DestinationConfig?.OnFailure && 'no failure destination';
    }),
  },
  {
    name: 'a function alarms on errors and throttles',
    broken: allOf(
      'AWS::Lambda::Function',
      (fn, all) =>
        !(alarmsOn(fn, 'Errors', all).length > 0 && alarmsOn(fn, 'Throttles', all).length > 0) && 'no alarm',
    ),
  },
  {
    name: 'a queue has a dead-letter queue with bounded receives, or is one',
    broken: allOf('AWS::SQS::Queue', (queue, all) => {
      if (isDeadLetterQueue(queue, all)) return false;
      return !(queue.properties.RedrivePolicy?.maxReceiveCount <= 1000) && 'no dead-letter queue';
    }),
  },
  {
    name: 'a queue is encrypted and takes no plain HTTP',
    broken: allOf('AWS::SQS::Queue', (queue, all) => {
      if (queue.properties.SqsManagedSseEnabled !== true) return 'not encrypted';
      return !queueDeniesPlainHttp(queue, all) && 'plain HTTP';
    }),
  },
  {
    name: 'a queue alarms on age; a dead-letter queue also on its first message',
    broken: allOf('AWS::SQS::Queue', (queue, all) => {
      if (alarmsOn(queue, 'ApproximateAgeOfOldestMessage', all).length === 0) return 'no alarm on age';
      if (!isDeadLetterQueue(queue, all)) return false;
      const depth = alarmsOn(queue, 'ApproximateNumberOfMessagesVisible', all);
      return !depth.some(({ properties }) => properties.Threshold === 0) && 'no alarm on depth';
    }),
  },
  {
    name: 'a queue’s messages stay hidden for six times the timeout of the function that reads them',
    broken: allOf('AWS::Lambda::EventSourceMapping', ({ properties: p }, all) => {
      const fn = ofType(all, 'AWS::Lambda::Function').find((one) => refersTo(p.FunctionName, one));
      const queue = ofType(all, 'AWS::SQS::Queue').find((one) => refersTo(p.EventSourceArn, one));
      if (!fn || !queue) return 'no function or queue';
      return queue.properties.VisibilityTimeout < 6 * fn.properties.Timeout && 'too short';
    }),
  },
  {
    name: 'an event source mapping reports the failures of single messages',
    broken: allOf(
      'AWS::Lambda::EventSourceMapping',
      ({ properties: p }) => !list(p.FunctionResponseTypes).includes('ReportBatchItemFailures') && 'does not',
    ),
  },
  {
    name: 'a rule’s target has a dead-letter queue and bounded retries',
    broken: allOf(
      'AWS::Events::Rule',
      ({ properties }) =>
        !list<any>(properties.Targets).every(
          (target) => target.DeadLetterConfig?.Arn && target.RetryPolicy?.MaximumRetryAttempts <= 185,
        ) && 'no dead-letter queue',
    ),
  },
  {
    name: 'a pipe sends new event items only, bisects, gives up, and has a dead-letter queue and an alarm',
    broken: allOf('AWS::Pipes::Pipe', (pipe, all) => {
      const { DynamoDBStreamParameters: stream, FilterCriteria } = pipe.properties.SourceParameters;
      const patterns = list<any>(FilterCriteria?.Filters).map(({ Pattern }) => Pattern);
      const pattern = '{"eventName":["INSERT"],"dynamodb":{"Keys":{"sk":{"S":[{"prefix":"EVENT#"}]}}}}';
      if (text(patterns) !== text([pattern])) return 'another filter';
      // Pipes guide, batching: no larger than the target's, which for an event bus is 10.
      if (!(stream.BatchSize <= 10)) return 'a batch that its bus does not take';
      if (stream.OnPartialBatchItemFailure !== 'AUTOMATIC_BISECT') return 'does not bisect';
      if (!(stream.MaximumRetryAttempts > 0 && stream.MaximumRecordAgeInSeconds > 0)) return 'never gives up';
      if (!stream.DeadLetterConfig?.Arn) return 'no dead-letter queue';
      const failures = ['ExecutionFailed', 'ExecutionPartiallyFailed'];
      return failures.some((metric) => alarmsOn(pipe, metric, all).length === 0) && 'no alarm';
    }),
  },
  {
    name: 'a schedule has a dead-letter queue and bounded retries',
    broken: allOf(
      'AWS::Scheduler::Schedule',
      ({ properties: { Target } }) =>
        !(Target.DeadLetterConfig?.Arn && Target.RetryPolicy?.MaximumRetryAttempts <= 185) &&
        'no dead-letter queue',
    ),
  },
  {
    name: 'a workflow is traced, logs what no order tells but nothing that shoppers typed, and alarms',
    broken: allOf('AWS::StepFunctions::StateMachine', (machine, all) => {
      const { TracingConfiguration, LoggingConfiguration: logging } = machine.properties;
      if (!TracingConfiguration?.Enabled) return 'not traced';
      // The events of each order tell what its checkout did; nothing else tells of the others.
      const level = machine.properties.StateMachineType === 'EXPRESS' ? 'ERROR' : 'ALL';
      if (logging?.Level !== level || logging.IncludeExecutionData !== false) return 'logs wrongly';
      return alarmsOn(machine, 'ExecutionsFailed', all).length === 0 && 'no alarm';
    }),
  },
  {
    name: 'a table can be restored, is encrypted with a key of ours, and outlives its stack',
    broken: allOf('AWS::DynamoDB::Table', (table, all) => {
      const { properties: p } = table;
      if (!p.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled) return 'no recovery';
      const keys = ofType(all, 'AWS::KMS::Key').filter((key) => key.properties.EnableKeyRotation);
      if (!keys.some((key) => refersTo(p.SSESpecification?.KMSMasterKeyId, key))) return 'no rotating key';
      if (p.BillingMode !== 'PAY_PER_REQUEST') return 'not on demand';
      return !(p.DeletionProtectionEnabled && isRetained(table)) && 'can be deleted';
    }),
  },
  {
    name: 'a user pool outlives its stack',
    broken: allOf(
      'AWS::Cognito::UserPool',
      (pool) => !(pool.properties.DeletionProtection === 'ACTIVE' && isRetained(pool)) && 'can be deleted',
    ),
  },
  {
    name: 'a user pool with customers’ accounts refuses passwords from breaches, and logs every sign-in',
    broken: (all) =>
      ofType(all, 'AWS::Cognito::UserPool')
        .filter(({ properties }) => properties.UserPoolTier === 'PLUS')
        .filter((pool) => {
          const attached = (type: string, holds: (p: any) => boolean) =>
            ofType(all.filter(inStackOf(pool)), type).some(
              ({ properties: p }) => refersTo(p.UserPoolId, pool) && holds(p),
            );
          return !(
            pool.properties.UserPoolAddOns?.AdvancedSecurityMode === 'ENFORCED' &&
            attached('AWS::Cognito::UserPoolRiskConfigurationAttachment', (p) => {
              const { Actions, EventFilter } = p.CompromisedCredentialsRiskConfiguration ?? {};
              return p.ClientId === 'ALL' && Actions?.EventAction === 'BLOCK' && EventFilter === undefined;
            }) &&
            attached('AWS::Cognito::LogDeliveryConfiguration', (p) =>
              p.LogConfigurations.some(
                (one: any) =>
                  one.EventSource === 'userAuthEvents' && one.CloudWatchLogsConfiguration?.LogGroupArn,
              ),
            )
          );
        })
        .map(nameOf),
  },
  {
    name: 'an app that people use is given no grant but the code, and never their password',
    broken: allOf('AWS::Cognito::UserPoolClient', ({ properties: p }) => {
      if (p.AllowedOAuthFlows.includes('client_credentials')) return false;
      if (text(p.AllowedOAuthFlows) !== '["code"]') return 'another grant';
      return text(p.ExplicitAuthFlows) !== '["ALLOW_USER_SRP_AUTH"]' && 'another flow';
    }),
  },
  {
    name: 'a bucket is encrypted, closed to the public and to plain HTTP, and outlives its stack',
    broken: allOf('AWS::S3::Bucket', (bucket, all) => {
      const { PublicAccessBlockConfiguration: block, BucketEncryption } = bucket.properties;
      if (!BucketEncryption) return 'not encrypted';
      if (!(block && Object.values(block).filter((value) => value === true).length === 4)) return 'public';
      if (!bucketDeniesPlainHttp(bucket, all)) return 'plain HTTP';
      return !isRetained(bucket) && 'can be deleted';
    }),
  },
  {
    name: 'an alarm tells somebody, itself or through a composite alarm',
    broken: allOf('AWS::CloudWatch::Alarm', (alarm, all) => {
      const composites = ofType(all, 'AWS::CloudWatch::CompositeAlarm');
      const part = composites.some(({ properties }) => text(properties.AlarmRule).includes(`"${alarm.id}"`));
      return !part && !alarm.properties.AlarmActions?.length && 'nobody';
    }),
  },
  {
    name: 'a composite alarm tells somebody',
    broken: allOf(
      'AWS::CloudWatch::CompositeAlarm',
      ({ properties }) => !properties.AlarmActions?.length && 'nobody',
    ),
  },
  {
    name: 'a topic is encrypted',
    broken: allOf('AWS::SNS::Topic', ({ properties }) => !properties.KmsMasterKeyId && 'not encrypted'),
  },
  {
    // A policy stands in place of SNS's own, by which every service of the account may publish.
    name: 'CloudWatch may publish to the topic of its alarms, and use its key',
    broken: allOf('AWS::SNS::Topic', (topic, all) => {
      const policies = ofType(all, 'AWS::SNS::TopicPolicy').filter(({ properties }) =>
        list<any>(properties.Topics).some((one) => refersTo(one, topic)),
      );
      const keys = ofType(all, 'AWS::KMS::Key').filter((key) =>
        refersTo(topic.properties.KmsMasterKeyId, key),
      );
      if (
        policies.length > 0 &&
        !policies.some(({ properties: p }) => allows(p.PolicyDocument, 'sns:Publish'))
      )
        return 'may not publish';
      return !keys.some(({ properties: p }) => allows(p.KeyPolicy, 'kms:GenerateDataKey*')) && 'no key';
    }),
  },
];
