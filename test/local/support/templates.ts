import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from './runtime.ts';

/** A CloudFormation template, as far as tests write one. */
export interface TemplateSource {
  readonly Parameters?: Record<string, unknown>;
  readonly Mappings?: Record<string, unknown>;
  readonly Conditions?: Record<string, unknown>;
  readonly Resources?: Record<string, { Type: string; Properties?: unknown; Condition?: string }>;
  readonly Outputs?: Record<string, unknown>;
}

/** Writes a cloud assembly of these stacks, each depending on those before it, and returns its folder. */
export function writeAssembly(
  stacks: Record<string, TemplateSource>,
  environment = 'aws://unknown-account/unknown-region',
): string {
  const folder = temporaryFolder();
  const artifacts: Record<string, unknown> = {};
  const written: string[] = [];
  for (const [name, template] of Object.entries(stacks)) {
    writeFileSync(join(folder, `${name}.template.json`), JSON.stringify(template));
    artifacts[name] = {
      type: 'aws:cloudformation:stack',
      environment,
      properties: { templateFile: `${name}.template.json` },
      dependencies: [...written],
    };
    written.push(name);
  }
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify({ version: '55.0.0', artifacts }));
  return folder;
}

/** Adds an asset to a written assembly's manifest; its S3 key is `<name>.zip`. */
export function writeAsset(folder: string, name: string): string {
  mkdirSync(join(folder, `asset.${name}`));
  const manifest = {
    artifacts: { assets: { type: 'cdk:asset-manifest', properties: { file: 'assets.json' } } },
  };
  const files = {
    [name]: { source: { path: `asset.${name}` }, destinations: { here: { objectKey: `${name}.zip` } } },
  };
  writeFileSync(join(folder, 'assets.json'), JSON.stringify({ files }));
  writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest));
  return join(folder, `asset.${name}`);
}

/** `Fn::GetAtt`. */
export const attribute = (logicalId: string, name = 'Arn') => ({ 'Fn::GetAtt': [logicalId, name] });

/** A role that the service may assume, allowed these actions on these resources. */
export function roleFor(service: string, actions: readonly string[], resource: unknown) {
  return {
    Type: 'AWS::IAM::Role',
    Properties: {
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Effect: 'Allow',
            Action: 'sts:AssumeRole',
            Principal: { Service: `${service}.amazonaws.com` },
          },
        ],
      },
      Policies: [
        {
          PolicyName: 'allowed',
          PolicyDocument: { Statement: [{ Effect: 'Allow', Action: actions, Resource: resource }] },
        },
      ],
    },
  };
}

/** A table with keys `pk` and `sk`, a stream of new images, and further properties. */
export function table(properties: Record<string, unknown> = {}) {
  return {
    Type: 'AWS::DynamoDB::Table',
    Properties: {
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
      BillingMode: 'PAY_PER_REQUEST',
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      ...properties,
    },
  };
}
