import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  CfnAuthorizer,
  CorsHttpMethod,
  DomainName,
  EndpointType,
  HttpApi,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { UserPoolClient } from 'aws-cdk-lib/aws-cognito';
import { FilterPattern, type IFilterPattern, LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import type { Route } from '../../functions/kernel/contract.ts';
import { metricNamespace, objectiveMetrics } from '../../functions/kernel/metrics.ts';
import { placeOrder } from '../../functions/order/contract.ts';
import type { Config } from '../config.ts';
import { needsToken, routeKeyOf } from '../constructs/http-route.ts';
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
        exposeHeaders: ['etag', 'idempotent-replayed', 'link', 'location', 'retry-after', 'x-request-id'],
        maxAge: Duration.days(1),
      },
    });
    this.url = config.domain ? `https://${config.domain.name}` : this.api.apiEndpoint;
    this.#stage(config);
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

  #stage(config: Config): void {
    const logGroup = new LogGroup(this, 'AccessLog', {
      // Under this prefix log delivery needs no policy of its own; those are limited to 5,120 characters a region.
      logGroupName: `/aws/vendedlogs/apigateway/${this.stackName}`,
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.#countOrders(logGroup, config);
    new HttpStage(this, 'Stage', {
      httpApi: this.api,
      stageName: '$default',
      autoDeploy: true,
      throttle: { rateLimit: config.api.requestsPerSecond, burstLimit: config.api.burst },
      detailedMetricsEnabled: true,
      ...(config.domain && { domainMapping: { domainName: this.#origin(config.domain) } }),
      accessLogSettings: {
        destination: new LogGroupLogDestination(logGroup),
        // No path: ids of guest carts are capabilities.
        format: AccessLogFormat.custom(
          JSON.stringify({
            requestId: '$context.requestId',
            time: '$context.requestTime',
            routeKey: '$context.routeKey',
            status: '$context.status',
            responseLength: '$context.responseLength',
            latency: '$context.responseLatency',
            sourceIp: '$context.identity.sourceIp',
            error: '$context.error.message',
            authorizerError: '$context.authorizer.error',
          }),
        ),
      },
    });
  }

  /** What the objective of checkout is measured by: free of log bytes, and the gateway's own failures count too. */
  #countOrders(logGroup: LogGroup, config: Config): void {
    const placing = FilterPattern.stringValue('$.routeKey', '=', routeKeyOf(placeOrder));
    const failed = FilterPattern.stringValue('$.status', '=', '5*');
    const filter = (id: string, metricName: string, filterPattern: IFilterPattern) =>
      logGroup.addMetricFilter(id, {
        filterPattern,
        metricNamespace: metricNamespace(config.stage),
        metricName,
        metricValue: '1',
      });
    filter('OrderRequests', objectiveMetrics.orderRequests, placing);
    const { orderRequestsFailed } = objectiveMetrics;
    filter('OrderRequestsFailed', orderRequestsFailed, FilterPattern.all(placing, failed));
  }

  /** The address that only CloudFront knows. */
  #origin(domain: NonNullable<Config['domain']>): DomainName {
    return new DomainName(this, 'Origin', {
      domainName: domain.originName,
      certificate: Certificate.fromCertificateArn(this, 'OriginCertificate', domain.originCertificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
  }
}
