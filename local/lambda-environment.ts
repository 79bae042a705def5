import { accessKeyFor } from './iam.ts';
import type { Resource, Runtime } from './types.ts';

/**
 * The variables that a function finds in `process.env`: those of the template and those that Lambda itself or the
 * SDK define. Nothing of this machine's environment is among them.
 */
export function environmentOf(fn: Resource, runtime: Runtime): Record<string, string> {
  const variables: Record<string, unknown> = fn.properties.Environment?.Variables ?? {};
  const own = Object.entries(variables).map(([name, value]) => [name, reachable(String(value), runtime)]);
  return {
    ...Object.fromEntries(own),
    AWS_REGION: runtime.region,
    AWS_DEFAULT_REGION: runtime.region,
    AWS_ACCESS_KEY_ID: accessKeyFor(fn.properties.Role),
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_ENDPOINT_URL: runtime.endpoint,
    AWS_LAMBDA_FUNCTION_NAME: fn.ref,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(fn.properties.MemorySize ?? 128),
    AWS_LAMBDA_LOG_GROUP_NAME: logGroupOf(fn),
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    // One environment serves many invocations at once here, as on managed instances. This variable says so to the
    // SDK and to Powertools, which then keep their per-invocation state apart.
    AWS_LAMBDA_MAX_CONCURRENCY: '1000',
    // AWS_EXECUTION_ENV is left out: with it Powertools would send traces to an X-Ray daemon, and none runs here.
    LAMBDA_TASK_ROOT: runtime.asset(fn.properties.Code.S3Key),
    _HANDLER: fn.properties.Handler,
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
  };
}

/** The log group that a function writes to. */
export function logGroupOf(fn: Resource): string {
  return fn.properties.LoggingConfig?.LogGroup ?? `/aws/lambda/${fn.ref}`;
}

/**
 * Tokens carry Cognito's own issuer, but its signing keys are served here: an address of a pool's
 * `/.well-known/` documents is the only address of AWS that is replaced.
 */
function reachable(value: string, runtime: Runtime): string {
  const cognito = `https://cognito-idp.${runtime.region}.amazonaws.com/`;
  return value.startsWith(cognito) && value.includes('/.well-known/')
    ? `${runtime.endpoint}/${value.slice(cognito.length)}`
    : value;
}
