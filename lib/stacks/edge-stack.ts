import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import {
  AllowedMethods,
  CacheHeaderBehavior,
  CachePolicy,
  CacheQueryStringBehavior,
  Distribution,
  HttpVersion,
  OriginProtocolPolicy,
  OriginRequestPolicy,
  OriginSslPolicy,
  PriceClass,
  ResponseHeadersPolicy,
  SecurityPolicyProtocol,
  ViewerProtocolPolicy,
} from 'aws-cdk-lib/aws-cloudfront';
import { HttpOrigin } from 'aws-cdk-lib/aws-cloudfront-origins';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type IBucket,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnWebACL } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import type { Config } from '../config.ts';
import { acknowledge } from '../constructs/acknowledge.ts';
import { originKeyName } from '../constructs/origin-key.ts';
import { FloodgateStack } from './floodgate-stack.ts';

/** CloudFront and WAF before the API. In us-east-1, the only region where CloudFront takes a WAF from. */
export class EdgeStack extends FloodgateStack {
  constructor(scope: Construct, config: Config, domain: NonNullable<Config['domain']>) {
    super(scope, 'Edge', config, 'CloudFront and WAF', 'us-east-1');
    const logs = this.#logs(config);
    if (!config.region)
      throw new Error('a stage with a domain needs its region, for the replica of the origin key');
    const originKey = new Secret(this, 'OriginKey', {
      secretName: originKeyName(config),
      // The API's functions read it in their own region.
      ...(config.region !== this.region && { replicaRegions: [{ region: config.region }] }),
      description: 'What CloudFront says to the API in x-origin-key',
      generateSecretString: { passwordLength: 40, excludePunctuation: true },
    });
    acknowledge(originKey, {
      'AwsSolutions-SMG4':
        'Rotated by hand and a deployment of this stack, which tells the distribution; the API takes both values until then.',
    });
    const distribution = new Distribution(this, 'Distribution', {
      comment: `${this.stackName}, origin key ${domain.originKeyTurn ?? 0}`,
      domainNames: [domain.name],
      certificate: Certificate.fromCertificateArn(this, 'Certificate', domain.certificateArn),
      minimumProtocolVersion: SecurityPolicyProtocol.TLS_V1_2_2021,
      httpVersion: HttpVersion.HTTP2_AND_3,
      priceClass: PriceClass.PRICE_CLASS_ALL,
      webAclId: this.#webAcl().attrArn,
      logBucket: logs as IBucket,
      logFilePrefix: 'cloudfront/',
      // A crowd that waits for one number must not ask the origin all at once because one answer was an error; nor may it
      // be told of that error, or of an old number, for CloudFront's ten seconds.
      errorResponses: [500, 502, 503, 504].map((httpStatus) => ({ httpStatus, ttl: Duration.seconds(1) })),
      defaultBehavior: {
        origin: new HttpOrigin(domain.originName, {
          protocolPolicy: OriginProtocolPolicy.HTTPS_ONLY,
          originSslProtocols: [OriginSslPolicy.TLS_V1_2],
          customHeaders: { 'x-origin-key': originKey.secretValue.unsafeUnwrap() },
        }),
        viewerProtocolPolicy: ViewerProtocolPolicy.HTTPS_ONLY,
        allowedMethods: AllowedMethods.ALLOW_ALL,
        originRequestPolicy: OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
        responseHeadersPolicy: ResponseHeadersPolicy.SECURITY_HEADERS,
        // Only what an answer declares cacheable is kept, and never across callers.
        cachePolicy: new CachePolicy(this, 'Cache', {
          defaultTtl: Duration.seconds(0),
          minTtl: Duration.seconds(0),
          maxTtl: Duration.minutes(5),
          queryStringBehavior: CacheQueryStringBehavior.all(),
          headerBehavior: CacheHeaderBehavior.allowList('Authorization', 'Accept-Language', 'Origin'),
          enableAcceptEncodingBrotli: true,
          enableAcceptEncodingGzip: true,
        }),
      },
    });
    acknowledge(distribution, {
      'AwsSolutions-CFR1':
        'The store sells to any country; where it ships is decided by the order’s address.',
    });
  }

  #logs(config: Config): Bucket {
    const logs = new Bucket(this, 'Logs', {
      blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
      enforceSSL: true,
      encryption: BucketEncryption.S3_MANAGED,
      // CloudFront's standard logging writes through an access control list.
      objectOwnership: ObjectOwnership.OBJECT_WRITER,
      lifecycleRules: [{ expiration: Duration.days(config.accessLogDays) }],
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(logs, { 'AwsSolutions-S1': 'A bucket of access logs is not logged itself.' });
    return logs;
  }

  #webAcl(): CfnWebACL {
    const visibility = (metricName: string) => ({
      cloudWatchMetricsEnabled: true,
      sampledRequestsEnabled: true,
      metricName,
    });
    const managed = (name: string, priority: number): CfnWebACL.RuleProperty => ({
      name,
      priority,
      overrideAction: { none: {} },
      statement: { managedRuleGroupStatement: { vendorName: 'AWS', name } },
      visibilityConfig: visibility(name),
    });
    return new CfnWebACL(this, 'WebAcl', {
      scope: 'CLOUDFRONT',
      defaultAction: { allow: {} },
      visibilityConfig: visibility('floodgate'),
      rules: [
        {
          name: 'TooManyFromOneAddress',
          priority: 0,
          action: { block: {} },
          // Requests in five minutes. Offices and mobile carriers share addresses, so this stops machines only.
          statement: {
            rateBasedStatement: { limit: 5_000, evaluationWindowSec: 300, aggregateKeyType: 'IP' },
          },
          visibilityConfig: visibility('TooManyFromOneAddress'),
        },
        managed('AWSManagedRulesAmazonIpReputationList', 1),
        managed('AWSManagedRulesKnownBadInputsRuleSet', 2),
      ],
    });
  }
}
