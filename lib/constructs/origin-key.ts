import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';

/** Of the secret by which the API knows CloudFront. Named, as its stack is in another region than its readers. */
export function originKeyName({ stage }: Config): string {
  return `floodgate-${stage}/origin-key`;
}

/** In the region of `scope`, without the characters that Secrets Manager adds. */
export function originKeyArn(scope: Construct, config: Config): string {
  return Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: originKeyName(config),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}
