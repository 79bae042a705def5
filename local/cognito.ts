import { Accounts } from './cognito-accounts.ts';
import { administrationOf } from './cognito-administration.ts';
import { ClientSecrets } from './cognito-clients.ts';
import { Directory } from './cognito-directory.ts';
import { OAuthServer } from './cognito-oauth.ts';
import { compromisedRefuser, type Pool, Pools, userNamed } from './cognito-pool.ts';
import { SecondFactors } from './cognito-second-factor.ts';
import { SignIn } from './cognito-sign-in.ts';
import { PoolTokens } from './cognito-tokens.ts';
import { groupsByTrigger } from './cognito-triggers.ts';
import { throttled } from './throttling.ts';
import {
  AwsError,
  type AwsResponse,
  type Caller,
  type Resource,
  type Service,
  type ServiceFactory,
} from './types.ts';

/** Quotas count by category, over all pools. */
const rates: Readonly<Record<string, string>> = {
  InitiateAuth: 'cognito-idp.signInRate',
  AdminInitiateAuth: 'cognito-idp.signInRate',
  SignUp: 'cognito-idp.signUpRate',
  ConfirmSignUp: 'cognito-idp.signUpRate',
  AdminCreateUser: 'cognito-idp.signUpRate',
};

type Operation = (input: any, caller: Caller) => Promise<object> | object;

/**
 * Cognito user pools: sign-up, sign-in, groups and tokens. The gateway passes here the JSON operations, and unsigned
 * requests for `/<poolId>/.well-known/…` and for the pages and endpoints of the pool's domain (`handle`).
 */
export const createCognito: ServiceFactory = (runtime) => {
  const pools = new Pools(
    runtime,
    runtime.resources('AWS::Cognito::UserPool').map((resource) => {
      const directory = new Directory(runtime, resource);
      return {
        resource,
        directory,
        secondFactors: new SecondFactors(runtime, resource.ref),
        tokens: new PoolTokens(runtime, resource.ref),
        refusesCompromised: compromisedRefuser(runtime, resource),
        groupsIn: (user, client, source) =>
          groupsByTrigger(runtime, resource, { user, groups: directory.groupsOf(user), client, source }),
      };
    }),
  );
  const accounts = new Accounts(runtime, pools);
  const signIn = new SignIn(pools, runtime.clock);
  const secrets = new ClientSecrets(runtime);
  const oauth = new OAuthServer(runtime, pools, secrets, signIn);

  const authorized =
    (action: string, run: Operation): Operation =>
    (input, caller) => {
      const arn = `arn:aws:cognito-idp:${runtime.region}:${runtime.account}:userpool/${input.UserPoolId}`;
      runtime.iam.authorize(caller, `cognito-idp:${action}`, arn);
      return run(input, caller);
    };
  const administration = Object.entries(administrationOf(runtime)).map(([action, run]) => [
    action,
    authorized(action, (input) => run(pools.pool(input.UserPoolId), input)),
  ]);
  const ofClients: Readonly<Record<string, (client: Resource, input: any) => object>> = {
    DescribeUserPoolClient: (client) => secrets.describe(client),
    ListUserPoolClientSecrets: (client) => secrets.list(client),
    AddUserPoolClientSecret: (client, input) => secrets.add(client, input.ClientSecret),
    DeleteUserPoolClientSecret: (client, input) => secrets.remove(client, input.ClientSecretId),
  };
  const clientAdministration = Object.entries(ofClients).map(([action, run]) => [
    action,
    authorized(action, (input) => run(pools.client(input.ClientId).client, input)),
  ]);

  const operations: Readonly<Record<string, Operation>> = {
    SignUp: (input) => accounts.signUp(input),
    ConfirmSignUp: (input) => accounts.confirmSignUp(input),
    ResendConfirmationCode: (input) => accounts.resendConfirmationCode(input),
    ForgotPassword: (input) => accounts.forgotPassword(input),
    ConfirmForgotPassword: (input) => accounts.confirmForgotPassword(input),
    ChangePassword: (input) => accounts.changePassword(input),
    GetUser: (input) => accounts.getUser(input),
    UpdateUserAttributes: (input) => accounts.updateAttributes(input),
    VerifyUserAttribute: (input) => accounts.verifyAttribute(input),
    DeleteUser: (input) => accounts.delete(input),
    GlobalSignOut: (input) => accounts.globalSignOut(input),
    RevokeToken: (input) => accounts.revokeToken(input),
    AssociateSoftwareToken: (input) => accounts.associateSoftwareToken(input),
    VerifySoftwareToken: (input) => accounts.verifySoftwareToken(input),
    SetUserMFAPreference: (input) => accounts.setMfaPreference(input),
    GetTokensFromRefreshToken: (input) => signIn.fromRefreshToken(input),
    InitiateAuth: (input) => signIn.initiate(input),
    RespondToAuthChallenge: (input) => signIn.respond(input),
    AdminInitiateAuth: authorized('AdminInitiateAuth', (input, caller) =>
      signIn.adminInitiate(input, caller),
    ),
    ...Object.fromEntries([...administration, ...clientAdministration]),
    // Not an operation of AWS: the operator at the keyboard holds the authenticator apps of demo and test accounts.
    GrantSoftwareToken: authorized('GrantSoftwareToken', (input) => {
      const pool = pools.pool(input.UserPoolId);
      return { SecretCode: pool.secondFactors.grant(userNamed(pool, input.Username)) };
    }),
    // Nor is this one: what the emulated HTTP API would fetch from the issuer's address.
    GetJwks: (input) => pools.pool(input.UserPoolId).tokens.jwks(),
  };

  const service: Service = {
    name: 'cognito-idp',
    async call(operation, input, caller) {
      const run = operations[operation];
      if (!run) throw new AwsError('UnknownOperationException', `cognito-idp:${operation} is not emulated`);
      const rate = rates[operation];
      if (rate && caller.kind !== 'operator' && !runtime.limits.take(rate))
        throw throttled('cognito-idp', operation);
      return run(input, caller);
    },
    async handle(request): Promise<AwsResponse> {
      const answer = await oauth.handle(request);
      if (answer) return answer;
      const { path } = request;
      const [, poolId, document] = /^\/([^/]+)\/\.well-known\/([^/]+)$/.exec(path) ?? [];
      const body = poolId && document && wellKnown(pools.pool(poolId), document, runtime.endpoint);
      if (!body) throw new AwsError('ResourceNotFoundException', `cognito-idp: nothing at ${path}`, 404);
      return {
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      };
    },
  };
  return service;
};

/** @param site where the pool's domain is served: here the AWS endpoint, as there is no DNS of ours */
function wellKnown({ tokens }: Pool, document: string, site: string): object | undefined {
  switch (document) {
    case 'jwks.json':
      return tokens.jwks();
    case 'openid-configuration':
      return {
        authorization_endpoint: `${site}/oauth2/authorize`,
        end_session_endpoint: `${site}/logout`,
        id_token_signing_alg_values_supported: ['RS256'],
        issuer: tokens.issuer,
        jwks_uri: `${tokens.issuer}/.well-known/jwks.json`,
        response_types_supported: ['code'],
        revocation_endpoint: `${site}/oauth2/revoke`,
        scopes_supported: ['openid', 'email', 'phone', 'profile'],
        subject_types_supported: ['public'],
        token_endpoint: `${site}/oauth2/token`,
        token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
        userinfo_endpoint: `${site}/oauth2/userInfo`,
      };
    default:
      return undefined;
  }
}
