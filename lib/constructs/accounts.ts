import { CfnOutput, Duration, RemovalPolicy } from 'aws-cdk-lib';
import {
  AccountRecovery,
  CfnLogDeliveryConfiguration,
  CfnManagedLoginBranding,
  type CfnUserPool,
  CfnUserPoolGroup,
  CfnUserPoolRiskConfigurationAttachment,
  FeaturePlan,
  ManagedLoginVersion,
  Mfa,
  OAuthScope,
  ResourceServerScope,
  StandardThreatProtectionMode,
  UserPool,
  type UserPoolClient,
  UserPoolClientIdentityProvider,
} from 'aws-cdk-lib/aws-cognito';
import { CfnWebACL, CfnWebACLAssociation } from 'aws-cdk-lib/aws-wafv2';
import type { Construct } from 'constructs';
import { accessTokenSeconds, machineScopes, resourceServer } from '../../functions/kernel/contract.ts';
import type { Config } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import { KeptLogGroup } from './kept-log-group.ts';
import { tokenTriggerArn } from './token-trigger.ts';

/** Who may be somebody here: accounts of people, and clients of systems. */
interface Accounts {
  readonly userPool: UserPool;
  readonly userPoolClient: UserPoolClient;
  readonly machineClients: readonly UserPoolClient[];
}

/** Directly in its stack, where the pool has stood from the beginning: another place would be another pool. */
export function addAccounts(stack: Construct, config: Config): Accounts {
  const userPool = addUserPool(stack, config);
  const userPoolClient = addAppClient(userPool, config);
  addSignInPages(stack, userPool, userPoolClient, config);
  return { userPool, userPoolClient, machineClients: addMachineClients(userPool, config) };
}

function addUserPool(stack: Construct, config: Config): UserPool {
  const { threatProtection } = config.signIn;
  const pool = new UserPool(stack, 'Users', {
    signInAliases: { email: true },
    selfSignUpEnabled: true,
    autoVerify: { email: true },
    keepOriginal: { email: true },
    mfa: Mfa.OPTIONAL,
    mfaSecondFactor: { otp: true, sms: false },
    passwordPolicy: {
      // Length is what counts; rules about kinds of characters make passwords worse (NIST SP 800-63B §3.1.1.2).
      minLength: 15,
      requireLowercase: false,
      requireUppercase: false,
      requireDigits: false,
      requireSymbols: false,
      tempPasswordValidity: Duration.days(3),
    },
    accountRecovery: AccountRecovery.EMAIL_ONLY,
    featurePlan: threatProtection ? FeaturePlan.PLUS : FeaturePlan.ESSENTIALS,
    ...(threatProtection && { standardThreatProtectionMode: StandardThreatProtectionMode.FULL_FUNCTION }),
    deletionProtection: true,
    removalPolicy: RemovalPolicy.RETAIN,
  });
  // addTrigger() wants the function itself, of a stack that depends on this one.
  (pool.node.defaultChild as CfnUserPool).lambdaConfig = {
    preTokenGenerationConfig: { lambdaArn: tokenTriggerArn(stack, config), lambdaVersion: 'V2_0' },
  };
  for (const [id, groupName, description] of [
    ['OperatorsGroup', 'operators', 'May change the catalogue and stock, and look after orders'],
    ['FinanceGroup', 'finance', 'May read the finance exports'],
  ] as const) {
    new CfnUserPoolGroup(stack, id, { userPoolId: pool.userPoolId, groupName, description });
  }
  acknowledge(pool, {
    'AwsSolutions-COG1': 'Fifteen characters of any kinds, as NIST SP 800-63B and OWASP ASVS 6.2 ask for.',
    'AwsSolutions-COG2':
      'Shoppers choose whether they use a second factor: demanding one of everybody would turn buyers away. Groups count only with one (name-groups).',
    ...(!threatProtection && {
      'AwsSolutions-COG8':
        'The stage does without the Plus plan (signIn.threatProtection; docs/adr/0037-threat-protection.md).',
    }),
  });
  if (threatProtection) protect(stack, pool, config);
  new CfnOutput(stack, 'UserPoolId', { value: pool.userPoolId });
  if (config.domain) limitGuesses(stack, pool);
  return pool;
}

/**
 * What Cognito's Plus plan does: a password that is known from breaches is not taken, a sign-in that looks like
 * somebody else's is asked for its second factor or refused, and every one is written down.
 */
function protect(stack: Construct, { userPoolId }: UserPool, config: Config): void {
  new CfnUserPoolRiskConfigurationAttachment(stack, 'Risks', {
    userPoolId,
    clientId: 'ALL',
    compromisedCredentialsRiskConfiguration: { actions: { eventAction: 'BLOCK' } },
    accountTakeoverRiskConfiguration: {
      actions: {
        lowAction: { eventAction: 'NO_ACTION', notify: false },
        mediumAction: { eventAction: 'MFA_IF_CONFIGURED', notify: false },
        highAction: { eventAction: 'BLOCK', notify: false },
      },
    },
  });
  // Under this prefix log delivery needs no policy of its own; those are limited to 5,120 characters a region.
  const name = `/aws/vendedlogs/floodgate-${config.stage}-sign-ins`;
  const logGroup = new KeptLogGroup(stack, 'SignIns', config, name);
  new CfnLogDeliveryConfiguration(stack, 'SignInLog', {
    userPoolId,
    logConfigurations: [
      {
        eventSource: 'userAuthEvents',
        logLevel: 'INFO',
        cloudWatchLogsConfiguration: { logGroupArn: logGroup.logGroupArn },
      },
    ],
  });
}

/** Cognito slows down guessing at one account; this stops one address from guessing at many. */
function limitGuesses(stack: Construct, pool: UserPool): void {
  const visibilityConfig = {
    cloudWatchMetricsEnabled: true,
    sampledRequestsEnabled: true,
    metricName: 'GuessingFromOneAddress',
  };
  const acl = new CfnWebACL(stack, 'SignInAcl', {
    scope: 'REGIONAL',
    defaultAction: { allow: {} },
    visibilityConfig,
    rules: [
      {
        name: 'GuessingFromOneAddress',
        priority: 0,
        action: { block: {} },
        // Requests in five minutes: an office signing in before a drop stays below it.
        statement: { rateBasedStatement: { limit: 300, evaluationWindowSec: 300, aggregateKeyType: 'IP' } },
        visibilityConfig,
      },
    ],
  });
  new CfnWebACLAssociation(stack, 'SignInAclAssociation', {
    resourceArn: pool.userPoolArn,
    webAclArn: acl.attrArn,
  });
}

/** For apps that run at the shopper's side, where a client secret would be none: code grant with PKCE, or SRP. */
function addAppClient(pool: UserPool, { signIn }: Config): UserPoolClient {
  const client = pool.addClient('Client', {
    generateSecret: false,
    // Not by handing over the password: OAuth 2.1 has dropped that grant. The pages need one of Cognito's own flows.
    authFlows: { userSrp: true },
    oAuth: {
      flows: { authorizationCodeGrant: true },
      // The last one is for the account itself: a second factor, another password, its deletion.
      scopes: [OAuthScope.OPENID, OAuthScope.EMAIL, OAuthScope.PROFILE, OAuthScope.COGNITO_ADMIN],
      callbackUrls: [...signIn.callbackUrls],
      logoutUrls: [...signIn.logoutUrls],
    },
    supportedIdentityProviders: [UserPoolClientIdentityProvider.COGNITO],
    accessTokenValidity: Duration.seconds(accessTokenSeconds),
    idTokenValidity: Duration.hours(1),
    refreshTokenValidity: Duration.days(30),
    // A refresh token serves once; the grace is for an app whose answer was lost.
    refreshTokenRotationGracePeriod: Duration.seconds(30),
    enableTokenRevocation: true,
    preventUserExistenceErrors: true,
  });
  new CfnOutput(pool.stack, 'UserPoolClientId', { value: client.userPoolClientId });
  return client;
}

/** Managed login: it knows Korean and passkeys, and the classic pages get no new features. */
function addSignInPages(stack: Construct, pool: UserPool, client: UserPoolClient, { signIn }: Config): void {
  const domain = pool.addDomain('SignIn', {
    cognitoDomain: { domainPrefix: signIn.domainPrefix },
    managedLoginVersion: ManagedLoginVersion.NEWER_MANAGED_LOGIN,
  });
  // Without a style of its own a client's pages are not shown at all.
  new CfnManagedLoginBranding(stack, 'SignInStyle', {
    userPoolId: pool.userPoolId,
    clientId: client.userPoolClientId,
    useCognitoProvidedValues: true,
  });
  new CfnOutput(stack, 'SignInUrl', { value: domain.baseUrl() });
}

/**
 * One client for each system, so that one can be shut out alone. Their secrets are made by Cognito, and are in no
 * template, output or variable: whoever may call DescribeUserPoolClient hands them over.
 */
function addMachineClients(pool: UserPool, { signIn }: Config): UserPoolClient[] {
  const scopes = Object.entries(machineScopes).map(
    ([scopeName, scopeDescription]) => new ResourceServerScope({ scopeName, scopeDescription }),
  );
  const server = pool.addResourceServer('Scopes', { identifier: resourceServer, scopes });
  return signIn.financeSystems.map((name) => {
    const id = `${name.replace(/(^|-)(.)/g, (_, _dash, letter) => letter.toUpperCase())}System`;
    const client = pool.addClient(id, {
      userPoolClientName: `finance-${name}`,
      generateSecret: true,
      oAuth: {
        flows: { clientCredentials: true },
        scopes: scopes
          .filter(({ scopeName }) => scopeName === 'finance.read')
          .map((scope) => OAuthScope.resourceServer(server, scope)),
      },
      // Of all flows the one that nobody can begin: nobody signs in with a system's client.
      authFlows: { user: false },
      accessTokenValidity: Duration.hours(1),
      enableTokenRevocation: true,
      preventUserExistenceErrors: true,
    });
    new CfnOutput(pool.stack, `${id}ClientId`, { value: client.userPoolClientId });
    return client;
  });
}
