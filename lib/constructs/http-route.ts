import { Stack } from 'aws-cdk-lib';
import { CfnIntegration, CfnRoute } from 'aws-cdk-lib/aws-apigatewayv2';
import { CfnPermission } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Route } from '../../functions/kernel/contract.ts';
import { acknowledge } from './acknowledge.ts';
import type { ServiceFunction } from './service-function.ts';

/** A route of an HTTP API, which may be another stack's, to a function of this stack. */
export class HttpRoute extends Construct {
  /** @param authorizerId the JWT authorizer that the route demands; without it anyone may call */
  constructor(
    to: ServiceFunction,
    props: { readonly apiId: string; readonly routeKey: string; readonly authorizerId?: string },
  ) {
    super(to, 'Route');
    const { apiId, routeKey, authorizerId } = props;
    const permission = new CfnPermission(this, 'Gateway', {
      action: 'lambda:InvokeFunction',
      functionName: to.calledArn,
      principal: 'apigateway.amazonaws.com',
      sourceArn: Stack.of(this).formatArn({
        service: 'execute-api',
        resource: apiId,
        resourceName: routeKey === '$default' ? '*/*' : `*/${routeKey.replace(' ', '')}`,
      }),
    });
    const integration = new CfnIntegration(this, 'Integration', {
      apiId,
      integrationType: 'AWS_PROXY',
      integrationUri: to.calledArn,
      payloadFormatVersion: '2.0',
      // The gateway gives up just after the function's own end, at 30 s at most (HTTP API quotas).
      timeoutInMillis: Math.min(30_000, (to.timeoutSeconds + 1) * 1000),
    });
    // A route that is led to another function or alias must not be there before the gateway may call it.
    integration.addResourceDependency(permission);
    new CfnRoute(this, 'Resource', {
      apiId,
      routeKey,
      target: `integrations/${integration.ref}`,
      ...(authorizerId ? { authorizationType: 'JWT', authorizerId } : { authorizationType: 'NONE' }),
    });
    if (!authorizerId) {
      acknowledge(this, {
        'AwsSolutions-APIG4':
          'Open by contract: public reading, guest carts (the handler verifies a token that is sent), signed webhooks, or a provider with its own API key.',
      });
    }
  }
}

/** The gateway's name of a route; `$default` takes whatever no other route takes. */
export function routeKeyOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return path === '$default' ? path : `${method} ${path}`;
}

/** Whether the gateway itself demands a token. Guests may come without one, so there the handler decides. */
export function needsToken({ audience }: Pick<Route, 'audience'>): boolean {
  return audience === 'shopper' || audience === 'operators' || audience === 'finance';
}
