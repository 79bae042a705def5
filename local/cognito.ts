import { Accounts } from './cognito-accounts.ts';
import { administrationOf } from './cognito-administration.ts';
import { Directory } from './cognito-directory.ts';
import { type Pool, Pools } from './cognito-pool.ts';
import { SignIn } from './cognito-sign-in.ts';
import { PoolTokens } from './cognito-tokens.ts';
import { throttled } from './throttling.ts';
import { AwsError, type AwsResponse, type Caller, type Service, type ServiceFactory } from './types.ts';

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
 * GET requests for `/<poolId>/.well-known/jwks.json` and `…/openid-configuration` (`handle`).
 */
export const createCognito: ServiceFactory = (runtime) => {
  const pools = new Pools(
    runtime,
    runtime.resources('AWS::Cognito::UserPool').map((resource) => ({
      resource,
      directory: new Directory(runtime, resource),
      tokens: new PoolTokens(runtime, resource.ref),
    })),
  );
  const accounts = new Accounts(runtime, pools);
  const signIn = new SignIn(pools, runtime.clock);

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
    InitiateAuth: (input) => signIn.initiate(input),
    RespondToAuthChallenge: (input) => signIn.respond(input),
    AdminInitiateAuth: authorized('AdminInitiateAuth', (input, caller) =>
      signIn.adminInitiate(input, caller),
    ),
    ...Object.fromEntries(administration),
    // Not an operation of AWS: what the emulated HTTP API would fetch from the issuer's address.
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
    async handle({ path }): Promise<AwsResponse> {
      const [, poolId, document] = /^\/([^/]+)\/\.well-known\/([^/]+)$/.exec(path) ?? [];
      const body = poolId && document && wellKnown(pools.pool(poolId), document);
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

function wellKnown({ tokens }: Pool, document: string): object | undefined {
  switch (document) {
    case 'jwks.json':
      return tokens.jwks();
    case 'openid-configuration':
      return {
        issuer: tokens.issuer,
        jwks_uri: `${tokens.issuer}/.well-known/jwks.json`,
        id_token_signing_alg_values_supported: ['RS256'],
        response_types_supported: ['code', 'token'],
        scopes_supported: ['openid', 'email', 'phone', 'profile'],
        subject_types_supported: ['public'],
      };
    default:
      return undefined;
  }
}
