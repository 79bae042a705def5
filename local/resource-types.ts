import { createHash } from 'node:crypto';
import { EMULATED_TYPES, isInert } from './resource-properties.ts';

/** The attribute of an `AWS::ApiGatewayV2::Api` that carries the TCP port its local listener uses. */
export const LOCAL_API_PORT = 'LocalPort';

/** What a resource's names are made from. */
interface Naming {
  readonly stack: string;
  readonly logicalId: string;
  readonly region: string;
  readonly account: string;
  readonly endpoint: string;
  /** HTTP APIs only. */
  readonly port?: number;
  /** The resolved value of one property; undefined where the template leaves it out. */
  property(name: string): string | undefined;
}

interface Identity {
  readonly ref: string;
  readonly arn: string;
  readonly attributes: Record<string, string>;
}

type Identify = (naming: Naming) => { ref: string; arn?: string; attributes?: Record<string, string> };

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** `length` characters that depend only on the resource's stack, logical id and `purpose`. */
function token(naming: Naming, length: number, purpose = ''): string {
  const digest = createHash('sha512').update(`${naming.stack}/${naming.logicalId}/${purpose}`).digest();
  return Array.from(digest.subarray(0, length), (byte) => LETTERS[byte % LETTERS.length]).join('');
}

/** A version-4-shaped UUID, for ids that AWS makes that way. */
function uuid(naming: Naming): string {
  const hex = createHash('sha256').update(`${naming.stack}/${naming.logicalId}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The name that the template gives, else `<stack>-<logicalId>`, shortened with a hash where AWS has a limit. */
function nameOf(naming: Naming, property: string, limit: number): string {
  return naming.property(property) ?? madeName(naming, limit);
}

function madeName(naming: Naming, limit: number): string {
  const made = `${naming.stack}-${naming.logicalId}`;
  return made.length <= limit ? made : `${made.slice(0, limit - 9)}-${token(naming, 8)}`;
}

function arn(naming: Naming, service: string, resource: string): string {
  return `arn:aws:${service}:${naming.region}:${naming.account}:${resource}`;
}

/** A resource whose Ref is its name and whose ARN is `<prefix><name>`. */
function named(service: string, property: string, limit: number, prefix: string): Identify {
  return (naming) => {
    const name = nameOf(naming, property, limit);
    const itsArn = arn(naming, service, prefix + name);
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn } };
  };
}

/** Of a function's version or alias. */
function qualifiedArn(naming: Naming, qualifier: string): string {
  const fn = naming.property('FunctionName')!;
  return fn.startsWith('arn:') ? `${fn}:${qualifier}` : arn(naming, 'lambda', `function:${fn}:${qualifier}`);
}

/** A resource that only its id names. */
function anonymous(length: number, attribute?: string): Identify {
  return (naming) => {
    const id = token(naming, length);
    return { ref: id, attributes: attribute ? { [attribute]: id } : {} };
  };
}

const identities: Readonly<Record<string, Identify>> = {
  'AWS::ApiGatewayV2::Api': (naming) => {
    const id = token(naming, 10);
    const port = String(naming.port);
    return {
      ref: id,
      arn: `arn:aws:apigateway:${naming.region}::/apis/${id}`,
      attributes: { ApiId: id, ApiEndpoint: `http://127.0.0.1:${port}`, [LOCAL_API_PORT]: port },
    };
  },
  'AWS::ApiGatewayV2::Authorizer': anonymous(6, 'AuthorizerId'),
  'AWS::ApiGatewayV2::Integration': anonymous(7, 'IntegrationId'),
  'AWS::ApiGatewayV2::Route': anonymous(7, 'RouteId'),
  'AWS::ApiGatewayV2::Stage': (naming) => ({ ref: nameOf(naming, 'StageName', 128) }),
  'AWS::Cognito::UserPool': (naming) => {
    const id = `${naming.region}_${token(naming, 9)}`;
    const provider = `cognito-idp.${naming.region}.amazonaws.com/${id}`;
    const itsArn = arn(naming, 'cognito-idp', `userpool/${id}`);
    return {
      ref: id,
      arn: itsArn,
      attributes: {
        Arn: itsArn,
        ProviderName: provider,
        ProviderURL: `https://${provider}`,
        UserPoolId: id,
      },
    };
  },
  'AWS::Cognito::UserPoolClient': (naming) => {
    const id = token(naming, 26);
    // No ClientSecret: what a template knows is in the template.
    return { ref: id, attributes: { ClientId: id, Name: nameOf(naming, 'ClientName', 128) } };
  },
  'AWS::Cognito::UserPoolDomain': (naming) => ({
    ref: nameOf(naming, 'Domain', 63),
    attributes: { CloudFrontDistribution: `${token(naming, 13)}.cloudfront.net` },
  }),
  'AWS::Cognito::UserPoolGroup': (naming) => ({ ref: nameOf(naming, 'GroupName', 128) }),
  'AWS::Cognito::UserPoolResourceServer': (naming) => ({ ref: nameOf(naming, 'Identifier', 256) }),
  'AWS::Cognito::UserPoolRiskConfigurationAttachment': anonymous(12),
  'AWS::DynamoDB::Table': (naming) => {
    const name = nameOf(naming, 'TableName', 255);
    const itsArn = arn(naming, 'dynamodb', `table/${name}`);
    return {
      ref: name,
      arn: itsArn,
      attributes: { Arn: itsArn, StreamArn: `${itsArn}/stream/2026-01-01T00:00:00.000` },
    };
  },
  'AWS::Events::Archive': (naming) => {
    const name = nameOf(naming, 'ArchiveName', 48);
    const itsArn = arn(naming, 'events', `archive/${name}`);
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn, ArchiveName: name } };
  },
  'AWS::Events::EventBus': (naming) => {
    const name = nameOf(naming, 'Name', 256);
    const itsArn = arn(naming, 'events', `event-bus/${name}`);
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn, Name: name } };
  },
  'AWS::Events::EventBusPolicy': anonymous(12),
  'AWS::Events::Rule': (naming) => {
    const name = nameOf(naming, 'Name', 64);
    const bus = naming.property('EventBusName')?.split('/').at(-1) ?? 'default';
    const itsArn = arn(naming, 'events', bus === 'default' ? `rule/${name}` : `rule/${bus}/${name}`);
    return { ref: bus === 'default' ? name : `${bus}|${name}`, arn: itsArn, attributes: { Arn: itsArn } };
  },
  'AWS::IAM::ManagedPolicy': (naming) => {
    const name = nameOf(naming, 'ManagedPolicyName', 128);
    const itsArn = `arn:aws:iam::${naming.account}:policy/${name}`;
    return { ref: itsArn, arn: itsArn, attributes: { PolicyArn: itsArn, PolicyId: token(naming, 20) } };
  },
  'AWS::IAM::Policy': (naming) => ({
    ref: nameOf(naming, 'PolicyName', 128),
    attributes: { Id: token(naming, 20) },
  }),
  'AWS::IAM::Role': (naming) => {
    const name = nameOf(naming, 'RoleName', 64);
    const itsArn = `arn:aws:iam::${naming.account}:role/${name}`;
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn, RoleId: token(naming, 20) } };
  },
  'AWS::KMS::Alias': (naming) => {
    const name = nameOf(naming, 'AliasName', 256);
    return { ref: name, arn: arn(naming, 'kms', name) };
  },
  'AWS::KMS::Key': (naming) => {
    const id = uuid(naming);
    const itsArn = arn(naming, 'kms', `key/${id}`);
    return { ref: id, arn: itsArn, attributes: { Arn: itsArn, KeyId: id } };
  },
  'AWS::Lambda::Alias': (naming) => {
    const itsArn = qualifiedArn(naming, naming.property('Name') ?? '');
    return { ref: itsArn, arn: itsArn, attributes: { AliasArn: itsArn } };
  },
  'AWS::Lambda::EventInvokeConfig': anonymous(12),
  'AWS::Lambda::EventSourceMapping': (naming) => {
    const id = uuid(naming);
    const itsArn = arn(naming, 'lambda', `event-source-mapping:${id}`);
    return { ref: id, arn: itsArn, attributes: { Id: id, EventSourceMappingArn: itsArn } };
  },
  'AWS::Lambda::Function': named('lambda', 'FunctionName', 64, 'function:'),
  'AWS::Lambda::Permission': anonymous(12),
  // There is one: what the template says now.
  'AWS::Lambda::Version': (naming) => {
    const itsArn = qualifiedArn(naming, '1');
    return { ref: itsArn, arn: itsArn, attributes: { FunctionArn: itsArn, Version: '1' } };
  },
  'AWS::Logs::LogGroup': (naming) => {
    const name = nameOf(naming, 'LogGroupName', 512);
    const itsArn = arn(naming, 'logs', `log-group:${name}:*`);
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn } };
  },
  'AWS::Pipes::Pipe': named('pipes', 'Name', 64, 'pipe/'),
  'AWS::S3::Bucket': (naming) => {
    const name = naming.property('BucketName') ?? madeName(naming, 63).toLowerCase();
    const itsArn = `arn:aws:s3:::${name}`;
    const regional = `${name}.s3.${naming.region}.amazonaws.com`;
    return {
      ref: name,
      arn: itsArn,
      attributes: { Arn: itsArn, DomainName: `${name}.s3.amazonaws.com`, RegionalDomainName: regional },
    };
  },
  'AWS::S3::BucketPolicy': anonymous(12),
  'AWS::SES::ConfigurationSet': named('ses', 'Name', 64, 'configuration-set/'),
  'AWS::SES::EmailIdentity': (naming) => {
    const name = nameOf(naming, 'EmailIdentity', 320);
    const attributes: Record<string, string> = {};
    for (const number of [1, 2, 3]) {
      attributes[`DkimDNSTokenName${number}`] = `${token(naming, 32, `dkim${number}`)}._domainkey.${name}`;
      attributes[`DkimDNSTokenValue${number}`] = `${token(naming, 32, `dkim${number}`)}.dkim.amazonses.com`;
    }
    return { ref: name, arn: arn(naming, 'ses', `identity/${name}`), attributes };
  },
  'AWS::SNS::Topic': (naming) => {
    const name = nameOf(naming, 'TopicName', 256);
    const itsArn = arn(naming, 'sns', name);
    return { ref: itsArn, arn: itsArn, attributes: { TopicArn: itsArn, TopicName: name } };
  },
  'AWS::SQS::Queue': (naming) => {
    const fifo = naming.property('FifoQueue') === 'true' && naming.property('QueueName') === undefined;
    const name = fifo ? `${nameOf(naming, 'QueueName', 75)}.fifo` : nameOf(naming, 'QueueName', 80);
    const itsArn = arn(naming, 'sqs', name);
    const url = `${naming.endpoint}/${naming.account}/${name}`;
    return { ref: url, arn: itsArn, attributes: { Arn: itsArn, QueueName: name, QueueUrl: url } };
  },
  'AWS::SQS::QueuePolicy': anonymous(12),
  'AWS::SSM::Parameter': (naming) => {
    const name = nameOf(naming, 'Name', 1011);
    return {
      ref: name,
      arn: arn(naming, 'ssm', `parameter/${name.replace(/^\//, '')}`),
      attributes: { Type: naming.property('Type') ?? 'String', Value: naming.property('Value') ?? '' },
    };
  },
  'AWS::Scheduler::Schedule': (naming) => {
    const name = nameOf(naming, 'Name', 64);
    const itsArn = arn(naming, 'scheduler', `schedule/${naming.property('GroupName') ?? 'default'}/${name}`);
    return { ref: name, arn: itsArn, attributes: { Arn: itsArn } };
  },
  'AWS::Scheduler::ScheduleGroup': named('scheduler', 'Name', 64, 'schedule-group/'),
  'AWS::SecretsManager::Secret': (naming) => {
    const name = nameOf(naming, 'Name', 512);
    const itsArn = arn(naming, 'secretsmanager', `secret:${name}-${token(naming, 6)}`);
    return { ref: itsArn, arn: itsArn, attributes: { Id: itsArn } };
  },
  'AWS::StepFunctions::StateMachine': (naming) => {
    const name = nameOf(naming, 'StateMachineName', 80);
    const itsArn = arn(naming, 'states', `stateMachine:${name}`);
    return { ref: itsArn, arn: itsArn, attributes: { Arn: itsArn, Name: name } };
  },
};

/** Whether the embedded cloud accepts resources of this type at all. */
export function isKnownType(type: string): boolean {
  return Object.hasOwn(EMULATED_TYPES, type) || isInert(type);
}

/** The resource's Ref, ARN and attributes: the same at every start, whatever else the assembly holds. */
export function identify(type: string, naming: Naming): Identity {
  const identity = identities[type]?.(naming) ?? { ref: `${naming.stack}-${naming.logicalId}` };
  return { arn: '', attributes: {}, ...identity };
}
