import { ArnFormat, Stack } from 'aws-cdk-lib';
import { ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { Platform } from './platform.ts';

/**
 * The function that Cognito asks before it makes tokens. It is named, as the pool's stack must not depend on the
 * function's: that one depends on the pool.
 */
export function tokenTriggerName({ stage }: Config): string {
  return `floodgate-${stage}-name-groups`;
}

/** For the pool, which needs no more than the name. */
export function tokenTriggerArn(scope: Construct, config: Config): string {
  return Stack.of(scope).formatArn({
    service: 'lambda',
    resource: 'function',
    resourceName: tokenTriggerName(config),
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
}

/** Lets the pool, and nobody else, ask the function. */
export function askedByUserPool(fn: LambdaFunction, { stores }: Platform): void {
  fn.addPermission('UserPool', {
    principal: new ServicePrincipal('cognito-idp.amazonaws.com'),
    sourceArn: stores.userPool.userPoolArn,
    sourceAccount: Stack.of(fn).account,
  });
}
