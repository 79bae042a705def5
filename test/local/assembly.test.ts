import { describe, expect, it } from 'vitest';
import { readAssembly, resolveAssembly } from '../../local/assembly.ts';
import { attribute, type TemplateSource, writeAssembly, writeAsset } from './support/templates.ts';

const endpoint = 'http://127.0.0.1:25000';

function resolved(stacks: Record<string, TemplateSource>, environment?: string) {
  const synthesised = readAssembly(writeAssembly(stacks, environment));
  const apiPorts = new Map(synthesised.apis.map((api, index) => [api, 3000 + index]));
  return { ...resolveAssembly(synthesised, { endpoint, apiPorts }), synthesised };
}

/** Resolves one expression as the output of a stack with a queue, a parameter, a mapping and two conditions. */
function evaluate(expression: unknown): unknown {
  const { outputs } = resolved({
    shop: {
      Parameters: {
        Stage: { Type: 'String', Default: 'dev' },
        Zones: { Type: 'List<String>', Default: 'a,b' },
      },
      Mappings: { Sizes: { dev: { memory: 256 } } },
      Conditions: {
        IsDev: { 'Fn::Equals': [{ Ref: 'Stage' }, 'dev'] },
        IsProd: { 'Fn::And': [{ 'Fn::Not': [{ Condition: 'IsDev' }] }, { Condition: 'IsDev' }] },
        Either: { 'Fn::Or': [{ Condition: 'IsProd' }, { Condition: 'IsDev' }] },
      },
      Resources: {
        Queue: { Type: 'AWS::SQS::Queue', Properties: { QueueName: 'orders' } },
        Setting: { Type: 'AWS::SSM::Parameter', Properties: { Name: '/shop/colour', Value: 'blue' } },
      },
      Outputs: { Value: { Value: expression } },
    },
  });
  return outputs.shop?.Value;
}

describe('intrinsic functions', () => {
  /** A variable in the text of `Fn::Sub`. */
  const v = (name: string) => `\${${name}}`;
  const queueArn = 'arn:aws:sqs:ap-northeast-2:000000000000:orders';

  it.each<[string, unknown, string]>([
    ['Ref of a resource', { Ref: 'Queue' }, `${endpoint}/000000000000/orders`],
    ['Ref of a parameter', { Ref: 'Stage' }, 'dev'],
    ['Ref of a pseudo parameter', { Ref: 'AWS::Region' }, 'ap-northeast-2'],
    ['Fn::GetAtt', attribute('Queue'), queueArn],
    ['Fn::GetAtt as text', { 'Fn::GetAtt': 'Queue.QueueName' }, 'orders'],
    ['Fn::Join', { 'Fn::Join': ['-', ['a', { Ref: 'Stage' }]] }, 'a-dev'],
    ['Fn::Join of a list parameter', { 'Fn::Join': ['+', { Ref: 'Zones' }] }, 'a+b'],
    [
      'Fn::Sub',
      { 'Fn::Sub': `${v('Stage')}/${v('Queue.Arn')}/${v('!kept')}` },
      `dev/${queueArn}/${v('kept')}`,
    ],
    ['Fn::Sub with variables', { 'Fn::Sub': [v('x') + v('Stage'), { x: { Ref: 'Stage' } }] }, 'devdev'],
    ['Fn::Select and Fn::Split', { 'Fn::Select': [5, { 'Fn::Split': [':', attribute('Queue')] }] }, 'orders'],
    ['Fn::FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'Stage' }, 'memory'] }, '256'],
    ['Fn::Base64', { 'Fn::Base64': 'hi' }, 'aGk='],
    ['Fn::If, true', { 'Fn::If': ['Either', 'yes', 'no'] }, 'yes'],
    ['Fn::If, false', { 'Fn::If': ['IsProd', 'yes', 'no'] }, 'no'],
    ['a stored parameter', '{{resolve:ssm:/shop/colour}}', 'blue'],
  ])('%s', (_, expression, expected) => {
    expect(evaluate(expression)).toBe(expected);
  });

  it.each<[string, unknown, RegExp]>([
    ['an unknown function', { 'Fn::Cidr': [] }, /Fn::Cidr is not supported/],
    ['a reference to nothing', { Ref: 'Nowhere' }, /Nowhere is neither a resource nor a parameter of shop/],
    ['an attribute that is not there', attribute('Queue', 'Colour'), /has no attribute Colour/],
    ['a secret read at deployment', '{{resolve:secretsmanager:x}}', /read the value at run time/],
  ])('refuses %s', (_, expression, message) => {
    expect(() => evaluate(expression)).toThrow(message);
  });

  it('leaves out what resolves to AWS::NoValue, and resources whose condition is false', () => {
    const { resources } = resolved({
      shop: {
        Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } },
        Resources: {
          Queue: { Type: 'AWS::SQS::Queue', Properties: { DelaySeconds: { Ref: 'AWS::NoValue' } } },
          Other: { Type: 'AWS::SQS::Queue', Condition: 'Never' },
        },
      },
    });
    expect(resources.map((resource) => [resource.logicalId, resource.properties])).toEqual([['Queue', {}]]);
  });

  it('follows references between stacks, exported and weak', () => {
    const { outputs } = resolved({
      data: {
        Resources: { Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'shop' } } },
        Outputs: { BusArn: { Value: attribute('Bus'), Export: { Name: 'data:bus' } } },
      },
      order: {
        Outputs: {
          Strong: { Value: { 'Fn::ImportValue': 'data:bus' } },
          Weak: { Value: { 'Fn::GetStackOutput': { StackName: 'data', OutputName: 'BusArn' } } },
        },
      },
    });
    const arn = 'arn:aws:events:ap-northeast-2:000000000000:event-bus/shop';
    expect(outputs.order).toEqual({ Strong: arn, Weak: arn });
  });
});

describe('the allow-list', () => {
  it('names stack, logical id, type and property of everything it does not know', () => {
    const stacks = {
      shop: {
        Resources: {
          Cluster: { Type: 'AWS::ECS::Cluster' },
          Rule: {
            Type: 'AWS::Events::Rule',
            Properties: { Targets: [{ Arn: 'a', Id: 'b', EcsParameters: {} }], Colour: 'red' },
          },
        },
      },
    };
    expect(() => resolved(stacks)).toThrow(
      [
        'The embedded cloud cannot run this assembly:',
        '  shop/Cluster (AWS::ECS::Cluster): this resource type is not supported',
        '  shop/Rule (AWS::Events::Rule): the property Targets[0].EcsParameters is not supported',
        '  shop/Rule (AWS::Events::Rule): the property Colour is not supported',
      ].join('\n'),
    );
  });

  it('accepts any property of an inert type', () => {
    const alarm = { Type: 'AWS::CloudWatch::Alarm', Properties: { Anything: { Deep: true } } };
    expect(resolved({ shop: { Resources: { Alarm: alarm } } }).resources).toHaveLength(1);
  });
});

describe('HTTP APIs', () => {
  const api = { Type: 'AWS::ApiGatewayV2::Api', Properties: { ProtocolType: 'HTTP' } };
  const executeApi = (logicalId: string) => ({
    'Fn::Join': [
      '',
      [
        'https://',
        { Ref: logicalId },
        '.execute-api.',
        { Ref: 'AWS::Region' },
        '.',
        { Ref: 'AWS::URLSuffix' },
        '/v1',
      ],
    ],
  });

  it('gives the main port to the API that is the output ApiUrl, however its address is spelled', () => {
    const { outputs, synthesised, resources } = resolved({
      provider: { Resources: { Api: api }, Outputs: { Url: { Value: executeApi('Api') } } },
      shop: { Resources: { Api: api }, Outputs: { ApiUrl: { Value: attribute('Api', 'ApiEndpoint') } } },
    });
    expect(synthesised.apis).toEqual(['shop/Api', 'provider/Api']);
    expect(outputs).toEqual({
      provider: { Url: 'http://127.0.0.1:3001/v1' },
      shop: { ApiUrl: 'http://127.0.0.1:3000' },
    });
    expect(resources.map((resource) => resource.attributes.LocalPort)).toEqual(['3001', '3000']);
  });
});

describe('identities', () => {
  const template = {
    Resources: {
      Pool: { Type: 'AWS::Cognito::UserPool' },
      Function: { Type: 'AWS::Lambda::Function', Properties: {} },
      Rule: { Type: 'AWS::Events::Rule', Properties: { EventBusName: 'shop' } },
    },
  };

  it('are the same at every start and carry region and account of the environment', () => {
    const first = resolved({ shop: template }, 'aws://111122223333/eu-west-1');
    const again = resolved({ shop: template }, 'aws://111122223333/eu-west-1');
    expect(again.resources).toEqual(first.resources);
    const [pool, lambda, rule] = first.resources;
    expect(pool?.ref).toMatch(/^eu-west-1_[a-z0-9]{9}$/);
    expect(lambda?.arn).toBe('arn:aws:lambda:eu-west-1:111122223333:function:shop-Function');
    expect(rule?.arn).toBe('arn:aws:events:eu-west-1:111122223333:rule/shop/shop-Rule');
  });

  it('keep within the length that AWS allows', () => {
    const logicalId = 'AnExtremelyLongLogicalIdOfAFunctionThatExceedsTheLimitOfSixtyFour';
    const { resources } = resolved({ shop: { Resources: { [logicalId]: template.Resources.Function } } });
    expect(resources[0]?.ref).toHaveLength(64);
  });
});

it('finds assets by their S3 key', () => {
  const folder = writeAssembly({});
  const path = writeAsset(folder, 'abc');
  expect(readAssembly(folder).assets.get('abc.zip')).toBe(path);
});
