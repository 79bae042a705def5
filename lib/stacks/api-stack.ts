import { CfnOutput, Duration } from 'aws-cdk-lib';
import { CfnAuthorizer, CorsHttpMethod, HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import type { UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Route } from '../../functions/kernel/contract.ts';
import type { Config } from '../config.ts';
import { needsToken } from '../constructs/http-route.ts';
import type { PublicApi, Stores } from '../constructs/platform.ts';
import { issuerOf } from '../constructs/service-function.ts';
import { sumOf, Watch } from '../constructs/watch.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** The public HTTP API without its routes: each context's stack adds its own. */
export class ApiStack extends FloodgateStack implements PublicApi {
  readonly api: HttpApi;
  readonly url: string;
  readonly #authorizers: { readonly people: string; readonly withMachines: string };

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
    const people = [stores.userPoolClient];
    this.#authorizers = {
      people: this.#authorizer('Authorizer', 'people', stores, people),
      withMachines: this.#authorizer('MachineAuthorizer', 'people-and-systems', stores, [
        ...people,
        ...stores.machineClients,
      ]),
    };
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

  /** Guests may come without a token, so there the handler decides. A system's token gets past one authorizer alone. */
  authorizerOf(route: Pick<Route, 'audience' | 'machineScope'>): string | undefined {
    if (!needsToken(route)) return undefined;
    return route.machineScope ? this.#authorizers.withMachines : this.#authorizers.people;
  }

  /** The route's scope is left to the handler: people's tokens, which the same routes take, have none of ours. */
  #authorizer(id: string, name: string, { userPool }: Stores, clients: readonly UserPoolClient[]): string {
    return new CfnAuthorizer(this, id, {
      apiId: this.api.apiId,
      name,
      authorizerType: 'JWT',
      identitySource: ['$request.header.Authorization'],
      jwtConfiguration: {
        audience: clients.map(({ userPoolClientId }) => userPoolClientId),
        issuer: issuerOf(userPool),
      },
    }).ref;
  }
}
