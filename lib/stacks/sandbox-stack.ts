import { CfnOutput, Stack } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { HttpApi, HttpStage, LogGroupLogDestination } from 'aws-cdk-lib/aws-apigatewayv2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from '../constructs/acknowledge.ts';
import { EventPipe } from '../constructs/event-pipe.ts';
import type { FunctionSpec } from '../constructs/function-spec.ts';
import { HttpRoute } from '../constructs/http-route.ts';
import { KeptLogGroup } from '../constructs/kept-log-group.ts';
import type { PaymentProvider, Platform } from '../constructs/platform.ts';
import { ServiceFunction } from '../constructs/service-function.ts';
import { addFunction } from './context-stack.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** The simulated payment provider: a service of its own behind its own address, as a real provider would be. */
export class SandboxStack extends FloodgateStack implements PaymentProvider {
  readonly url: string;
  readonly secret: Secret;
  readonly webhookSecret: Secret;

  constructor(scope: Construct, platform: Platform, functions: readonly FunctionSpec[]) {
    super(scope, 'Sandbox', platform.config, 'the simulated payment provider');
    this.secret = this.#secret('ApiKey', 'API key of the sandbox payment provider');
    this.webhookSecret = this.#secret('WebhookSecret', 'Signs the webhooks of the sandbox payment provider');
    const api = this.#api(platform);
    this.url = api.apiEndpoint;
    const provider = { ...platform, paymentProvider: this };
    for (const spec of functions) {
      if (!('sandbox' in spec.trigger)) {
        addFunction(this, spec, provider);
        continue;
      }
      const fn = new ServiceFunction(this, spec, provider);
      new HttpRoute(fn, { apiId: api.apiId, routeKey: spec.trigger.sandbox });
    }
    // Its webhooks leave as events do: written with the change, and sent by whoever reads the stream.
    new EventPipe(this, 'sandbox', provider);
    new CfnOutput(this, 'SandboxUrl', { value: this.url });
  }

  #secret(id: string, description: string): Secret {
    const secret = new Secret(this, id, {
      description,
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
    });
    acknowledge(secret, {
      'AwsSolutions-SMG4':
        'Rotated by a schedule of ours (rotate-keys): readers take the value before the newest too, so the four steps of a rotation function are not needed.',
    });
    return secret;
  }

  #api({ config }: Platform): HttpApi {
    const api = new HttpApi(this, 'Api', { apiName: this.stackName, createDefaultStage: false });
    new HttpStage(this, 'Stage', {
      httpApi: api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: config.api.requestsPerSecond, burstLimit: config.api.burst },
      accessLogSettings: {
        destination: new LogGroupLogDestination(
          new KeptLogGroup(
            this,
            'AccessLog',
            config,
            `/aws/vendedlogs/apigateway/${Stack.of(this).stackName}`,
          ),
        ),
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            time: '$context.requestTime',
            routeKey: '$context.routeKey',
            status: '$context.status',
            latency: '$context.responseLatency',
          }),
        ),
      },
    });
    return api;
  }
}
