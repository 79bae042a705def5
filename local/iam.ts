import { type Context, compilePolicy, PolicyError, type Statement } from './iam-policy.ts';
import { AwsError, type Caller, type Decision, type Iam, type Resource } from './types.ts';

/** The access key of whoever sits at the keyboard; everything is allowed to it. */
export const OPERATOR_ACCESS_KEY = 'LOCALOPERATOR';
const ROLE_KEY_PREFIX = 'LOCALROLE';

/** The access key id with which a function makes its calls; it carries the role's ARN. */
export function accessKeyFor(roleArn: string): string {
  return ROLE_KEY_PREFIX + Buffer.from(roleArn).toString('base64url');
}

/** The ARN of the role that `accessKeyFor` made the key for; undefined for any other key. */
export function roleOfAccessKey(key: string): string | undefined {
  if (!key.startsWith(ROLE_KEY_PREFIX)) return undefined;
  return Buffer.from(key.slice(ROLE_KEY_PREFIX.length), 'base64url').toString();
}

/** What the AWS-managed policies that this project attaches allow. */
const awsManagedPolicies: Readonly<Record<string, readonly string[]>> = {
  'service-role/AWSLambdaBasicExecutionRole': [
    'logs:CreateLogGroup',
    'logs:CreateLogStream',
    'logs:PutLogEvents',
  ],
  AWSXRayDaemonWriteAccess: [
    'xray:PutTraceSegments',
    'xray:PutTelemetryRecords',
    'xray:GetSamplingRules',
    'xray:GetSamplingTargets',
    'xray:GetSamplingStatisticSummaries',
  ],
};

/** Which service a resource hands its role to, and under which ARN the service speaks then. */
const roleUsers: Readonly<Record<string, (resource: Resource) => { service: string; roles: unknown[] }>> = {
  'AWS::Lambda::Function': ({ properties }) => ({ service: 'lambda', roles: [properties.Role] }),
  'AWS::StepFunctions::StateMachine': ({ properties }) => ({
    service: 'states',
    roles: [properties.RoleArn],
  }),
  'AWS::Pipes::Pipe': ({ properties }) => ({ service: 'pipes', roles: [properties.RoleArn] }),
  'AWS::Scheduler::Schedule': ({ properties }) => ({
    service: 'scheduler',
    roles: [properties.Target?.RoleArn],
  }),
  'AWS::Events::Rule': ({ properties }) => ({
    service: 'events',
    roles: (properties.Targets ?? []).map((target: any) => target.RoleArn),
  }),
};

/** The statements that may decide one call, in the order in which they are asked. */
interface Candidates {
  readonly denials: readonly Statement[];
  readonly identity: readonly Statement[];
  /** Allowed by the resource's policy, naming the caller itself. */
  readonly direct: readonly Statement[];
  /** Allowed by a key's policy to the whole account: it takes an identity policy besides. */
  readonly account: readonly Statement[];
}

/** More distinct calls than this are not remembered: object keys of buckets have no bound. */
const REMEMBERED_CALLS = 20_000;

/**
 * Compiles every policy of the assembly.
 * @throws PolicyError on what cannot be evaluated, and on a role that its user may not assume.
 */
export function createIam(resources: readonly Resource[]): Iam {
  const identityPolicies = compileIdentityPolicies(resources);
  const resourcePolicies = compileResourcePolicies(resources);
  checkTrust(resources);

  const listeners = new Set<(decision: Decision) => void>();
  const revoked = new Set<string>();
  const remembered = new Map<string, Candidates>();

  function candidates(
    caller: Exclude<Caller, { kind: 'operator' }>,
    action: string,
    arn: string,
  ): Candidates {
    const principal = caller.kind === 'role' ? caller.roleArn : serviceName(caller.service);
    const key = `${principal} ${action} ${arn}`;
    const known = remembered.get(key);
    if (known) return known;
    const relevant = (statement: Statement) =>
      statement.matchesAction(action) && statement.matchesResource(arn);
    const identity = (identityPolicies.get(principal) ?? []).filter(relevant);
    const isKey = arn.startsWith('arn:aws:kms:');
    // A key policy says "*" for the key that it is attached to.
    const attached = (resourcePolicies.get(policyOwner(arn)) ?? []).filter(relevant);
    const direct = attached.filter((statement) => names(statement, caller));
    const account = isKey && caller.kind === 'role' ? attached.filter((s) => namesAccount(s, caller)) : [];
    const all = [...identity, ...direct, ...attached.filter((s) => namesAccount(s, caller))];
    const found = {
      denials: all.filter((statement) => !statement.allows),
      identity: identity.filter((statement) => statement.allows),
      direct: direct.filter((statement) => statement.allows),
      account: account.filter((statement) => statement.allows),
    };
    if (remembered.size >= REMEMBERED_CALLS) remembered.clear();
    remembered.set(key, found);
    return found;
  }

  function allowed(caller: Caller, action: string, arn: string, given: Record<string, string>): boolean {
    if (caller.kind === 'operator') return true;
    if (revoked.has(caller.kind === 'role' ? caller.roleArn : caller.sourceArn)) return false;
    const { denials, identity, direct, account } = candidates(caller, action, arn);
    let context: Context | undefined;
    const holds = (statement: Statement): boolean => {
      if (!statement.holds) return true;
      context ??= contextOf(caller, arn, given);
      return statement.holds(context);
    };
    if (denials.some(holds)) return false;
    if (direct.some(holds)) return true;
    if (caller.kind === 'service' || !identity.some(holds)) return false;
    // For a key the account's own policies count only where the key policy hands it over to them.
    return !arn.startsWith('arn:aws:kms:') || account.some(holds);
  }

  return {
    authorize(caller, action, resourceArn, context = {}) {
      const mayDo = allowed(caller, action, resourceArn, context);
      for (const listener of listeners) listener({ caller, action, resource: resourceArn, allowed: mayDo });
      if (mayDo) return;
      throw new AwsError(
        'AccessDeniedException',
        `${nameOfCaller(caller)} is not authorized to perform ${action} on ${resourceArn}`,
        403,
      );
    },
    revoke(arn) {
      revoked.add(arn);
      return () => revoked.delete(arn);
    },
    onDecision(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

function nameOfCaller(caller: Caller): string {
  if (caller.kind === 'role') return caller.roleArn;
  return caller.kind === 'service' ? `${serviceName(caller.service)} (${caller.sourceArn})` : 'the operator';
}

function serviceName(service: string): string {
  return service.includes('.') ? service : `${service}.amazonaws.com`;
}

/** An object is governed by its bucket's policy, every other resource by its own. */
function policyOwner(arn: string): string {
  return arn.startsWith('arn:aws:s3:::') ? arn.split('/', 1)[0]! : arn;
}

function accountOf(arn: string): string {
  return arn.split(':')[4] ?? '';
}

function names({ principal }: Statement, caller: Caller): boolean {
  if (!principal || caller.kind === 'operator') return false;
  if (principal.everyone) return true;
  return caller.kind === 'role'
    ? principal.aws.has(caller.roleArn)
    : principal.services.has(serviceName(caller.service));
}

function namesAccount({ principal }: Statement, caller: Caller): boolean {
  if (!principal || caller.kind !== 'role') return false;
  return principal.aws.has(`arn:aws:iam::${accountOf(caller.roleArn)}:root`);
}

function contextOf(caller: Caller, resourceArn: string, given: Record<string, string>): Context {
  const context = new Map<string, string>([
    // The local endpoint stands for AWS's, which speaks nothing but TLS 1.2 and newer.
    ['aws:securetransport', 'true'],
    ['s3:tlsversion', '1.3'],
    ['aws:resourceaccount', accountOf(resourceArn)],
  ]);
  if (caller.kind === 'role') {
    context.set('aws:principalarn', caller.roleArn);
    context.set('aws:principalaccount', accountOf(caller.roleArn));
    context.set('aws:principalisawsservice', 'false');
  } else if (caller.kind === 'service') {
    context.set('aws:principalservicename', serviceName(caller.service));
    context.set('aws:principalisawsservice', 'true');
    context.set('aws:sourcearn', caller.sourceArn);
    context.set('aws:sourceaccount', accountOf(caller.sourceArn));
  }
  for (const [key, value] of Object.entries(given)) context.set(key.toLowerCase(), value);
  return context;
}

function compileIdentityPolicies(resources: readonly Resource[]): Map<string, Statement[]> {
  const byRole = new Map<string, Statement[]>();
  const arnOfRole = new Map<string, string>();
  const ownManaged = new Map<string, Statement[]>();
  const attach = (roleName: string, statements: Statement[], place: string): void => {
    const arn = arnOfRole.get(roleName);
    if (!arn) throw new PolicyError(`${place}: the role ${roleName} is not in the assembly`);
    byRole.get(arn)!.push(...statements);
  };

  for (const role of ofType(resources, 'AWS::IAM::Role')) {
    arnOfRole.set(role.ref, role.arn);
    byRole.set(role.arn, []);
  }
  for (const type of ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy']) {
    for (const policy of ofType(resources, type)) {
      const statements = compilePolicy(policy.properties.PolicyDocument, placeOf(policy));
      ownManaged.set(policy.arn, statements);
      for (const role of policy.properties.Roles ?? []) attach(role, statements, placeOf(policy));
    }
  }
  for (const role of ofType(resources, 'AWS::IAM::Role')) {
    for (const inline of role.properties.Policies ?? []) {
      attach(role.ref, compilePolicy(inline.PolicyDocument, placeOf(role)), placeOf(role));
    }
    for (const arn of role.properties.ManagedPolicyArns ?? []) {
      attach(role.ref, ownManaged.get(arn) ?? awsManaged(arn, placeOf(role)), placeOf(role));
    }
  }
  return byRole;
}

function awsManaged(arn: string, place: string): Statement[] {
  const actions = awsManagedPolicies[arn.replace('arn:aws:iam::aws:policy/', '')];
  if (!actions) throw new PolicyError(`${place}: the managed policy ${arn} is not known here`);
  return compilePolicy({ Statement: { Effect: 'Allow', Action: actions, Resource: '*' } }, place);
}

function compileResourcePolicies(resources: readonly Resource[]): Map<string, Statement[]> {
  const byArn = new Map<string, Statement[]>();
  const arnOf = new Map(resources.map((resource) => [resource.ref, resource.arn]));
  const attach = (arnOrRef: string, document: unknown, place: string): void => {
    const arn = arnOrRef.startsWith('arn:') ? arnOrRef : arnOf.get(arnOrRef);
    if (!arn) throw new PolicyError(`${place}: ${arnOrRef} is not in the assembly`);
    byArn.set(arn, [...(byArn.get(arn) ?? []), ...compilePolicy(document, place)]);
  };
  for (const resource of resources) {
    const { type, properties } = resource;
    const place = placeOf(resource);
    if (type === 'AWS::SQS::QueuePolicy') {
      for (const queue of properties.Queues) attach(queue, properties.PolicyDocument, place);
    } else if (type === 'AWS::S3::BucketPolicy') {
      attach(properties.Bucket, properties.PolicyDocument, place);
    } else if (type === 'AWS::Events::EventBusPolicy') {
      attach(properties.EventBusName, { Statement: properties.Statement }, place);
    } else if (type === 'AWS::KMS::Key') {
      attach(resource.arn, properties.KeyPolicy, place);
    } else if (type === 'AWS::Lambda::Permission') {
      attach(properties.FunctionName, { Statement: statementOfPermission(properties) }, place);
    }
  }
  return byArn;
}

function statementOfPermission(properties: Record<string, any>): unknown {
  const { Action, Principal, SourceArn, SourceAccount } = properties;
  return {
    Effect: 'Allow',
    Action,
    Resource: '*',
    Principal: String(Principal).includes('.amazonaws.com') ? { Service: Principal } : { AWS: Principal },
    ...(SourceArn || SourceAccount
      ? {
          Condition: {
            ...(SourceArn && { ArnLike: { 'aws:SourceArn': SourceArn } }),
            ...(SourceAccount && { StringEquals: { 'aws:SourceAccount': SourceAccount } }),
          },
        }
      : {}),
  };
}

function checkTrust(resources: readonly Resource[]): void {
  const trusts = new Map(
    ofType(resources, 'AWS::IAM::Role').map((role) => [
      role.arn,
      compilePolicy(role.properties.AssumeRolePolicyDocument, placeOf(role)),
    ]),
  );
  for (const resource of resources) {
    const user = roleUsers[resource.type]?.(resource);
    for (const roleArn of user?.roles ?? []) {
      if (roleArn === undefined) continue;
      const trust = trusts.get(String(roleArn));
      if (!trust) throw new PolicyError(`${placeOf(resource)}: the role ${roleArn} is not in the assembly`);
      const caller: Caller = { kind: 'service', service: user!.service, sourceArn: trustSource(resource) };
      const context = contextOf(caller, String(roleArn), {});
      const speaking = trust.filter((s) => s.matchesAction('sts:AssumeRole') && names(s, caller));
      const holding = speaking.filter((statement) => statement.holds?.(context) ?? true);
      if (!holding.some((s) => s.allows) || holding.some((s) => !s.allows)) {
        throw new PolicyError(`${placeOf(resource)}: ${user!.service} may not assume the role ${roleArn}`);
      }
    }
  }
}

/** The `aws:SourceArn` under which a service assumes a role: for a schedule, that of its group. */
function trustSource(resource: Resource): string {
  if (resource.type !== 'AWS::Scheduler::Schedule') return resource.arn;
  return resource.arn.replace(':schedule/', ':schedule-group/').replace(/\/[^/]*$/, '');
}

function placeOf(resource: Resource): string {
  return `${resource.stack}/${resource.logicalId}`;
}

function ofType(resources: readonly Resource[], type: string): readonly Resource[] {
  return resources.filter((resource) => resource.type === type);
}
