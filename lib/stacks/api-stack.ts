import { CfnOutput, Duration } from 'aws-cdk-lib';
import { CfnAuthorizer, CorsHttpMethod, HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import type { PublicApi, Stores } from '../constructs/platform.ts';
import { issuerOf } from '../constructs/service-function.ts';
import { sumOf, Watch } from '../constructs/watch.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** The public HTTP API without its routes: each context's stack adds its own. */
export class ApiStack extends FloodgateStack implements PublicApi {
  readonly api: HttpApi;
  readonly url: string;
  readonly authorizerId: string;

  constructor(scope: Construct, config: Config, stores: Stores, alarms: Topic) {
    super(scope, 'Api', config, 'the public HTTP API and its authorizer');
    this.api = new HttpApi(this, 'Api', {
      apiName: this.stackName,
      createDefaultStage: false,
      // With a domain, CloudFront and its WAF are the only way in.
      disableExecuteApiEndpoint: config.domain !== undefined,
      corsPreflight: {
        allowOrigins: config.api.browserOrigins,
        allowMethods: [
          CorsHttpMethod.GET,
          CorsHttpMethod.POST,
          CorsHttpMethod.PUT,
          CorsHttpMethod.PATCH,
          CorsHttpMethod.DELETE,
        ],
        allowHeaders: [
          'accept-language',
          'authorization',
          'content-type',
          'floodgate-admission',
          'idempotency-key',
          'if-match',
          'if-none-match',
          'traceparent',
          'x-request-id',
        ],
        exposeHeaders: [
          'etag',
          'idempotent-replayed',
          'link',
          'location',
          'ratelimit',
          'ratelimit-policy',
          'retry-after',
          'x-request-id',
        ],
        maxAge: Duration.days(1),
      },
    });
    this.url = config.domain ? `https://${config.domain.name}` : this.api.apiEndpoint;
    this.authorizerId = new CfnAuthorizer(this, 'Authorizer', {
      apiId: this.api.apiId,
      name: 'cognito',
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: {
        audience: [stores.userPoolClient.userPoolClientId],
        issuer: issuerOf(stores.userPool),
      },
    }).ref;
    new Watch(this, 'Failing', {
      metric: sumOf('AWS/ApiGateway', '5xx', { ApiId: this.api.apiId }),
      above: 5,
      minutes: 3,
      meaning: 'The API answers with server errors: look at the dashboard’s function errors.',
      runbook: 'api-failing.md#the-api-answers-with-server-errors',
      topic: alarms,
    });
    new CfnOutput(this, 'ApiUrl', {
      value: this.url,
    });
  }
}
