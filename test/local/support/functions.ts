import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Resource } from '../../../local/types.ts';
import { resource, temporaryFolder } from './runtime.ts';

/** A bundle folder with one module; `source` exports `handler`. */
export function bundle(source: string): string {
  const folder = join(temporaryFolder(), 'bundle');
  mkdirSync(folder);
  writeFileSync(join(folder, 'index.mjs'), source);
  return folder;
}

export function functionArn(name: string): string {
  return `arn:aws:lambda:eu-west-1:111122223333:function:${name}`;
}

/** An AWS::Lambda::Function whose bundle is the asset `<name>.zip`. */
export function lambdaFunction(name: string, properties: Record<string, unknown> = {}): Resource {
  return resource(
    'AWS::Lambda::Function',
    name,
    {
      FunctionName: name,
      Handler: 'index.handler',
      Role: `arn:aws:iam::111122223333:role/${name}`,
      Code: { S3Key: `${name}.zip` },
      ...properties,
    },
    functionArn(name),
  );
}
