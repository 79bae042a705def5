import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { type Config, configOf } from '../../lib/config.ts';
import { functions } from '../../lib/stacks/specs.ts';
import { edgePolicy } from '../../local/edge-cache.ts';
import { appOf, stacksOf } from './support/synthesis.ts';

const certificate = (region: string) =>
  `arn:aws:acm:${region}:111122223333:certificate/0a1b2c3d-0000-4000-8000-000000000000`;
const domain: Config['domain'] = {
  name: 'shop.example.com',
  certificateArn: certificate('us-east-1'),
  originName: 'origin.shop.example.com',
  originCertificateArn: certificate('ap-northeast-2'),
};

// Synthesis throws on a finding of cdk-nag (AwsSolutions, Serverless) that nobody acknowledged, and on a template
// that breaks CloudFormation's schemas.
describe('the rules of cdk-nag and CloudFormation', () => {
  it.each([
    ['dev', configOf('dev')],
    ['prod', configOf('prod')],
    ['prod with a domain', { ...configOf('prod'), region: 'ap-northeast-2', domain }],
    ['prod with an alarm e-mail', { ...configOf('prod'), alarmEmail: 'ops@example.com' }],
  ])('find nothing in %s', (_name, config) => {
    expect(() => appOf(config, true).synth()).not.toThrow();
  });

  it('find a queue that is not as it should be', () => {
    const app = appOf(configOf('dev'));
    const [data] = stacksOf(app);
    new CfnQueue(data!, 'Stray');
    expect(() => app.synth()).toThrow('The SQS queue does not require requests to use SSL');
  });
});

describe('the stacks', () => {
  const assembly = appOf({ ...configOf('prod'), region: 'ap-northeast-2', domain }).synth();

  it('have the edge cache that the embedded cloud emulates', () => {
    const { Resources } = assembly.getStackByName('Floodgate-prod-Edge').template;
    const ofType = (type: string): any =>
      Object.values<any>(Resources).find((resource) => resource.Type === type)?.Properties;
    const { MinTTL, DefaultTTL, MaxTTL, ParametersInCacheKeyAndForwardedToOrigin } = ofType(
      'AWS::CloudFront::CachePolicy',
    ).CachePolicyConfig;
    const { HeadersConfig, QueryStringsConfig, CookiesConfig } = ParametersInCacheKeyAndForwardedToOrigin;
    expect({ MinTTL, DefaultTTL, MaxTTL }).toEqual({
      MinTTL: 0,
      DefaultTTL: edgePolicy.defaultTtl,
      MaxTTL: edgePolicy.maxTtl,
    });
    expect(HeadersConfig.Headers.map((name: string) => name.toLowerCase())).toEqual(edgePolicy.headers);
    expect(QueryStringsConfig.QueryStringBehavior).toBe('all');
    expect(CookiesConfig.CookieBehavior).toBe('none');
    const errors: any[] = ofType('AWS::CloudFront::Distribution').DistributionConfig.CustomErrorResponses;
    expect(
      Object.fromEntries(errors.map(({ ErrorCode, ErrorCachingMinTTL }) => [ErrorCode, ErrorCachingMinTTL])),
    ).toEqual(edgePolicy.errorTtl);
  });

  it('leave the data stack independent of all others', () => {
    const data = assembly.getStackByName('Floodgate-prod-Data');
    const others = data.dependencies.filter((dependency) => 'template' in dependency);
    expect(others).toEqual([]);
    expect(JSON.stringify(data.template)).not.toContain('Fn::ImportValue');
    const order = assembly.getStackByName('Floodgate-prod-Order');
    expect(order.dependencies.map(({ id }) => id)).toContain('Floodgate-prod-Data');
  });

  it('keep state in the data stack only', () => {
    const stateful = /DynamoDB::Table|Cognito::UserPool|Events::EventBus|Events::Archive/;
    for (const { stackName, template } of assembly.stacks) {
      const types = Object.values<any>(template.Resources).map(({ Type }) => Type);
      expect(types.some((type) => stateful.test(type))).toBe(stackName === 'Floodgate-prod-Data');
    }
  });

  it('let into every route only what the edge sends, where there is an edge', () => {
    const edge = Object.values<any>(assembly.getStackByName('Floodgate-prod-Edge').template.Resources);
    const key = edge.find(({ Type }) => Type === 'AWS::SecretsManager::Secret').Properties;
    expect(key.ReplicaRegions).toEqual([{ Region: 'ap-northeast-2' }]);
    const resources = assembly.stacks.flatMap(({ template }) => Object.values<any>(template.Resources));
    const checking = resources.filter(({ Properties }) =>
      JSON.stringify(Properties?.Environment?.Variables?.ORIGIN_KEY_SECRET_ARN)?.includes(
        `:secret:${key.Name}`,
      ),
    );
    const routes = functions.filter(({ trigger }) => 'http' in trigger);
    expect(checking.map(({ Properties }) => Properties.Description).sort()).toEqual(
      routes.map(({ description }) => description).sort(),
    );
    const granting = resources.filter(
      ({ Type, Properties }) =>
        Type === 'AWS::IAM::Policy' && JSON.stringify(Properties).includes(`:secret:${key.Name}-??????`),
    );
    expect(granting).toHaveLength(routes.length);
    const local = appOf(configOf('prod'))
      .synth()
      .stacks.map(({ template }) => JSON.stringify(template));
    expect(local.join()).not.toContain('ORIGIN_KEY');
  });

  it('put the edge in us-east-1, and close the API’s own address behind it', () => {
    expect(assembly.getStackByName('Floodgate-prod-Edge').environment.region).toBe('us-east-1');
    const api = assembly.getStackByName('Floodgate-prod-Api').template;
    const [http] = Object.values<any>(api.Resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Api');
    expect(http.Properties.DisableExecuteApiEndpoint).toBe(true);
    expect(api.Outputs.ApiUrl.Value).toBe('https://shop.example.com');
  });

  it('are protected from deletion in prod', () => {
    expect(assembly.stacks.every(({ terminationProtection }) => terminationProtection)).toBe(true);
  });

  it('say where the store is', () => {
    const outputs = assembly.stacks.flatMap(({ template }) => Object.keys(template.Outputs ?? {}));
    expect(outputs).toEqual(
      expect.arrayContaining(['ApiUrl', 'UserPoolId', 'UserPoolClientId', 'SandboxUrl']),
    );
  });
});
