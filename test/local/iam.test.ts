import { describe, expect, it } from 'vitest';
import { accessKeyFor, createIam, roleOfAccessKey } from '../../local/iam.ts';
import type { Caller, Decision, Resource } from '../../local/types.ts';
import { resource } from './support/runtime.ts';

const account = '111122223333';
const roleArn = `arn:aws:iam::${account}:role/worker`;
const role: Caller = { kind: 'role', roleArn };
const tableArn = `arn:aws:dynamodb:eu-west-1:${account}:table/orders`;
const queueArn = `arn:aws:sqs:eu-west-1:${account}:mail`;
const ruleArn = `arn:aws:events:eu-west-1:${account}:rule/shop/placed`;
const rule: Caller = { kind: 'service', service: 'events', sourceArn: ruleArn };
const keyArn = `arn:aws:kms:eu-west-1:${account}:key/1`;

const trust = (service: string) => ({
  Statement: {
    Effect: 'Allow',
    Action: 'sts:AssumeRole',
    Principal: { Service: `${service}.amazonaws.com` },
  },
});

function workerRole(statements: unknown[], more: object = {}): Resource {
  const properties = {
    AssumeRolePolicyDocument: trust('lambda'),
    Policies: [{ PolicyName: 'inline', PolicyDocument: { Statement: statements } }],
    ...more,
  };
  return resource('AWS::IAM::Role', 'worker', properties, roleArn);
}

function allows(
  resources: Resource[],
  caller: Caller,
  action: string,
  arn: string,
  context?: Record<string, string>,
): boolean {
  try {
    createIam(resources).authorize(caller, action, arn, context);
    return true;
  } catch (error) {
    if ((error as Error).name !== 'AccessDeniedException') throw error;
    return false;
  }
}

describe('identity policies', () => {
  const allow = (Action: unknown, Resource: unknown = '*', more: object = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    ...more,
  });

  it.each<[string, unknown[], string, string, boolean]>([
    [
      'the very action and resource',
      [allow('dynamodb:PutItem', tableArn)],
      'dynamodb:PutItem',
      tableArn,
      true,
    ],
    ['another action', [allow('dynamodb:PutItem', tableArn)], 'dynamodb:GetItem', tableArn, false],
    ['another resource', [allow('dynamodb:PutItem', tableArn)], 'dynamodb:PutItem', queueArn, false],
    [
      'a table is not its index',
      [allow('dynamodb:Query', tableArn)],
      'dynamodb:Query',
      `${tableArn}/index/a`,
      false,
    ],
    [
      'a wildcard',
      [allow('dynamodb:*Item', `${tableArn}*`)],
      'dynamodb:PutItem',
      `${tableArn}/index/a`,
      true,
    ],
    ['one unknown character', [allow('sqs:?endMessage')], 'sqs:SendMessage', queueArn, true],
    ['actions in any case', [allow('SQS:sendmessage')], 'sqs:SendMessage', queueArn, true],
    ['a dot is a dot', [allow('*', 'arn:aws:s3:::a.b')], 's3:GetObject', 'arn:aws:s3:::axb', false],
    [
      'one of a list',
      [allow(['a:B', 'sqs:SendMessage'], ['x', queueArn])],
      'sqs:SendMessage',
      queueArn,
      true,
    ],
    [
      'an explicit denial',
      [allow('*'), { Effect: 'Deny', Action: 'sqs:*', Resource: queueArn }],
      'sqs:SendMessage',
      queueArn,
      false,
    ],
    [
      'NotAction',
      [{ Effect: 'Allow', NotAction: 'sqs:*', Resource: '*' }],
      'sqs:SendMessage',
      queueArn,
      false,
    ],
    [
      'NotResource',
      [{ Effect: 'Allow', Action: '*', NotResource: tableArn }],
      'sqs:SendMessage',
      queueArn,
      true,
    ],
    ['nothing at all', [], 'sqs:SendMessage', queueArn, false],
  ])('%s', (_, statements, action, arn, expected) => {
    expect(allows([workerRole(statements)], role, action, arn)).toBe(expected);
  });

  it.each<[string, object, Record<string, string>, boolean]>([
    ['StringEquals', { StringEquals: { 'a:b': ['x', 'y'] } }, { 'a:b': 'y' }, true],
    ['StringEquals without the key', { StringEquals: { 'a:b': 'x' } }, {}, false],
    ['StringEqualsIfExists without the key', { StringEqualsIfExists: { 'a:b': 'x' } }, {}, true],
    ['StringNotEquals', { StringNotEquals: { 'a:b': ['x', 'y'] } }, { 'a:b': 'y' }, false],
    ['StringNotEquals without the key', { StringNotEquals: { 'a:b': 'x' } }, {}, true],
    ['StringLike', { StringLike: { 'a:b': 'x*' } }, { 'A:B': 'xyz' }, true],
    ['ArnLike', { ArnLike: { 'a:b': 'arn:aws:sqs:*:*:mail' } }, { 'a:b': queueArn }, true],
    ['Bool', { Bool: { 'aws:SecureTransport': 'true' } }, {}, true],
    ['Null', { Null: { 'a:b': 'true' } }, {}, true],
    ['Null, present', { Null: { 'a:b': 'true' } }, { 'a:b': '1' }, false],
    ['NumericLessThan', { NumericLessThan: { 'a:b': '10' } }, { 'a:b': '9' }, true],
    ['NumericGreaterThanEquals', { NumericGreaterThanEquals: { 'a:b': 10 } }, { 'a:b': '9' }, false],
    ['ForAnyValue without the key', { 'ForAnyValue:StringEquals': { 'a:b': 'x' } }, {}, false],
    ['ForAllValues without the key', { 'ForAllValues:StringEquals': { 'a:b': 'x' } }, {}, true],
    ['ForAllValues', { 'ForAllValues:StringLike': { 'a:b': 'x*' } }, { 'a:b': 'y' }, false],
    [
      'two operators',
      { StringEquals: { 'a:b': 'x' }, Bool: { 'a:c': 'true' } },
      { 'a:b': 'x', 'a:c': 'false' },
      false,
    ],
  ])('condition %s', (_, Condition, context, expected) => {
    const statements = [allow('sqs:SendMessage', queueArn, { Condition })];
    expect(allows([workerRole(statements)], role, 'sqs:SendMessage', queueArn, context)).toBe(expected);
  });

  it.each<[string, object, RegExp]>([
    [
      'an operator',
      { Condition: { IpAddress: { 'aws:SourceIp': '1.2.3.4' } } },
      /worker: .* operator IpAddress/,
    ],
    ['a member', { Colour: 'red' }, /worker: Colour is not supported/],
    ['a policy variable', { Resource: 'arn:aws:s3:::a/${aws:PrincipalTag/x}' }, /worker: policy variables/],
  ])('refuses %s that it cannot evaluate', (_, more, message) => {
    expect(() => createIam([workerRole([allow('a:B', '*', more)])])).toThrow(message);
  });

  it('counts policies attached from outside and AWS-managed ones', () => {
    const PolicyDocument = { Statement: allow('sqs:SendMessage', queueArn) };
    const attached = resource('AWS::IAM::Policy', 'policy', { PolicyDocument, Roles: ['worker'] });
    const ManagedPolicyArns = ['arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole'];
    const resources = [workerRole([], { ManagedPolicyArns }), attached];
    expect(allows(resources, role, 'sqs:SendMessage', queueArn)).toBe(true);
    expect(allows(resources, role, 'logs:PutLogEvents', 'arn:aws:logs:::x')).toBe(true);
  });

  it('refuses an AWS-managed policy that it does not know', () => {
    const ManagedPolicyArns = ['arn:aws:iam::aws:policy/AdministratorAccess'];
    expect(() => createIam([workerRole([], { ManagedPolicyArns })])).toThrow(
      /AdministratorAccess is not known/,
    );
  });
});

describe('resource policies', () => {
  const queue = resource('AWS::SQS::Queue', 'mail', {}, queueArn);
  const queuePolicy = (...Statement: unknown[]) =>
    resource('AWS::SQS::QueuePolicy', 'policy', { Queues: ['mail'], PolicyDocument: { Statement } });
  const fromRule = {
    Effect: 'Allow',
    Action: 'sqs:SendMessage',
    Resource: queueArn,
    Principal: { Service: 'events.amazonaws.com' },
    Condition: { ArnEquals: { 'aws:SourceArn': ruleArn } },
  };

  it('let a service in only from the resource they name', () => {
    const resources = [queue, queuePolicy(fromRule)];
    const other: Caller = { ...rule, sourceArn: `${ruleArn}-other` };
    const otherService: Caller = { ...rule, service: 'scheduler' };
    expect(allows(resources, rule, 'sqs:SendMessage', queueArn)).toBe(true);
    expect(allows(resources, other, 'sqs:SendMessage', queueArn)).toBe(false);
    expect(allows(resources, otherService, 'sqs:SendMessage', queueArn)).toBe(false);
    expect(allows([queue], rule, 'sqs:SendMessage', queueArn)).toBe(false);
  });

  it('let a role in by themselves, and shut it out in spite of its own policy', () => {
    const statement = (Effect: string, Principal: unknown) =>
      queuePolicy({ Effect, Action: 'sqs:*', Resource: queueArn, Principal });
    const allowed = workerRole([{ Effect: 'Allow', Action: 'sqs:*', Resource: '*' }]);
    const send = (...resources: Resource[]) =>
      allows([queue, ...resources], role, 'sqs:SendMessage', queueArn);
    expect(send(workerRole([]), statement('Allow', { AWS: roleArn }))).toBe(true);
    expect(send(workerRole([]), statement('Allow', { AWS: `arn:aws:iam::${account}:root` }))).toBe(false);
    expect(send(allowed, statement('Deny', { AWS: '*' }))).toBe(false);
    expect(send(allowed, statement('Deny', { AWS: account }))).toBe(false);
  });

  it('do not mistake the local endpoint for an unencrypted one', () => {
    const Condition = { Bool: { 'aws:SecureTransport': 'false' } };
    const denial = { Effect: 'Deny', Action: 'sqs:*', Resource: queueArn, Principal: '*', Condition };
    expect(allows([queue, queuePolicy(denial, fromRule)], rule, 'sqs:SendMessage', queueArn)).toBe(true);
  });

  it('govern the objects of a bucket', () => {
    const arn = 'arn:aws:s3:::exports';
    const bucket = resource('AWS::S3::Bucket', 'exports', {}, arn);
    const Statement = [{ Effect: 'Deny', Action: 's3:PutObject', Resource: `${arn}/*`, Principal: '*' }];
    const policy = resource('AWS::S3::BucketPolicy', 'policy', {
      Bucket: 'exports',
      PolicyDocument: { Statement },
    });
    const worker = workerRole([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }]);
    expect(allows([bucket, worker], role, 's3:PutObject', `${arn}/2026/a.csv`)).toBe(true);
    expect(allows([bucket, worker, policy], role, 's3:PutObject', `${arn}/2026/a.csv`)).toBe(false);
  });

  it('of functions come from permissions', () => {
    const functionArn = `arn:aws:lambda:eu-west-1:${account}:function:f`;
    const lambda = resource('AWS::Lambda::Function', 'f', { Role: roleArn }, functionArn);
    const SourceArn = `arn:aws:execute-api:eu-west-1:${account}:api/*/*/v1/orders`;
    const properties = { Action: 'lambda:InvokeFunction', FunctionName: functionArn, SourceArn };
    const Principal = 'apigateway.amazonaws.com';
    const permission = resource('AWS::Lambda::Permission', 'p', { ...properties, Principal });
    const from = (path: string): Caller => ({
      kind: 'service',
      service: 'apigateway',
      sourceArn: `arn:aws:execute-api:eu-west-1:${account}:api/$default/POST/v1/${path}`,
    });
    const resources = [workerRole([]), lambda, permission];
    expect(allows(resources, from('orders'), 'lambda:InvokeFunction', functionArn)).toBe(true);
    expect(allows(resources, from('carts'), 'lambda:InvokeFunction', functionArn)).toBe(false);
  });
});

describe('key policies', () => {
  const viaDynamo = { 'kms:ViaService': 'dynamodb.eu-west-1.amazonaws.com', 'kms:CallerAccount': account };
  const key = (...Statement: unknown[]) =>
    resource('AWS::KMS::Key', 'key', { KeyPolicy: { Statement } }, keyArn);
  const forEveryone = { Effect: 'Allow', Action: 'kms:Decrypt', Resource: '*', Principal: { AWS: '*' } };
  const handedOver = { ...forEveryone, Action: 'kms:*', Principal: { AWS: `arn:aws:iam::${account}:root` } };
  const own = workerRole([{ Effect: 'Allow', Action: 'kms:Decrypt', Resource: keyArn }]);

  it('admit whoever comes through the service they name', () => {
    const resources = [workerRole([]), key({ ...forEveryone, Condition: { StringEquals: viaDynamo } })];
    expect(allows(resources, role, 'kms:Decrypt', keyArn, viaDynamo)).toBe(true);
    expect(allows(resources, role, 'kms:Decrypt', keyArn)).toBe(false);
  });

  it('decide whether the role’s own policy counts', () => {
    expect(allows([own, key(handedOver)], role, 'kms:Decrypt', keyArn)).toBe(true);
    expect(allows([own, key()], role, 'kms:Decrypt', keyArn)).toBe(false);
    expect(allows([workerRole([]), key(handedOver)], role, 'kms:Decrypt', keyArn)).toBe(false);
  });
});

describe('trust', () => {
  const pipe = resource(
    'AWS::Pipes::Pipe',
    'pipe',
    { RoleArn: roleArn },
    `arn:aws:pipes:eu-west-1:${account}:pipe/p`,
  );

  it('stops the cloud when a service uses a role made for another', () => {
    expect(() => createIam([workerRole([]), pipe])).toThrow(/test\/pipe: pipes may not assume the role/);
  });

  it('honours the conditions of the trust policy', () => {
    const withSource = (arn: string) => {
      const document = trust('pipes');
      const Condition = { ArnLike: { 'aws:SourceArn': arn }, StringEquals: { 'aws:SourceAccount': account } };
      const Statement = [{ ...document.Statement, Condition }];
      return workerRole([], { AssumeRolePolicyDocument: { Statement } });
    };
    expect(() => createIam([withSource(pipe.arn), pipe])).not.toThrow();
    expect(() => createIam([withSource(`${pipe.arn}-other`), pipe])).toThrow(/may not assume/);
  });

  it('stops the cloud when a role is not there', () => {
    expect(() => createIam([pipe])).toThrow(/role .*worker is not in the assembly/);
  });
});

describe('for tests', () => {
  const allowed = [workerRole([{ Effect: 'Allow', Action: 'sqs:*', Resource: '*' }])];

  it('a role can be taken away and given back', () => {
    const iam = createIam(allowed);
    const giveBack = iam.revoke(roleArn);
    expect(() => iam.authorize(role, 'sqs:SendMessage', queueArn)).toThrow('is not authorized to perform');
    giveBack();
    expect(() => iam.authorize(role, 'sqs:SendMessage', queueArn)).not.toThrow();
  });

  it('decisions are told, naming caller, action and resource', () => {
    const iam = createIam(allowed);
    const decisions: Decision[] = [];
    const remove = iam.onDecision((decision) => decisions.push(decision));
    iam.authorize(role, 'sqs:SendMessage', queueArn);
    expect(() => iam.authorize(role, 's3:GetObject', 'arn:aws:s3:::a')).toThrow();
    remove();
    expect(() => iam.authorize(role, 's3:GetObject', 'arn:aws:s3:::b')).toThrow();
    expect(decisions).toEqual([
      { caller: role, action: 'sqs:SendMessage', resource: queueArn, allowed: true },
      { caller: role, action: 's3:GetObject', resource: 'arn:aws:s3:::a', allowed: false },
    ]);
  });

  it('the operator may do everything', () => {
    expect(allows([], { kind: 'operator' }, 'anything:AtAll', queueArn)).toBe(true);
  });
});

it('access keys carry the role and nothing else is taken for one', () => {
  expect(roleOfAccessKey(accessKeyFor(roleArn))).toBe(roleArn);
  expect(accessKeyFor(roleArn)).toMatch(/^[A-Za-z0-9_-]+$/);
  expect(roleOfAccessKey('AKIAIOSFODNN7EXAMPLE')).toBeUndefined();
});
