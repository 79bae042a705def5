import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import {
  type CfnStage,
  DomainName,
  EndpointType,
  HttpStage,
  LogGroupLogDestination,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { FilterPattern, type IFilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { metricNamespace, objectiveMetrics } from '../../functions/kernel/metrics.ts';
import { placeOrder } from '../../functions/order/contract.ts';
import type { Config } from '../config.ts';
import type { FunctionSpec } from '../constructs/function-spec.ts';
import { routeKeyOf } from '../constructs/http-route.ts';
import { KeptLogGroup } from '../constructs/kept-log-group.ts';
import type { PublicApi } from '../constructs/platform.ts';
import { throttlesOf } from '../constructs/throttles.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/**
 * The public API's one stage, with its throttles and its access log. After all stacks with routes: a stage takes
 * settings only for routes that are there.
 */
export class StageStack extends FloodgateStack {
  constructor(scope: Construct, config: Config, publicApi: PublicApi, functions: readonly FunctionSpec[]) {
    super(scope, 'Stage', config, 'the stage of the public API: throttles and the access log');
    // Under this prefix log delivery needs no policy of its own; those are limited to 5,120 characters a region.
    const name = `/aws/vendedlogs/apigateway/${this.stackName}`;
    const logGroup = new KeptLogGroup(this, 'AccessLog', config, name);
    this.#countOrders(logGroup, config);
    const stage = new HttpStage(this, 'Stage', {
      httpApi: publicApi.api,
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
    (stage.node.defaultChild as CfnStage).routeSettings = throttlesOf(config, functions);
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
