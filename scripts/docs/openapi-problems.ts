import type { Route } from '../../functions/kernel/contract.ts';
import { type ProblemCode, problems, problemType } from '../../functions/kernel/errors.ts';
import type { JsonSchema } from './schemas.ts';

/** Statuses that the gateway may answer before our code sees the request, with `{message}` alone. */
const gatewayStatuses: ReadonlySet<number> = new Set([401, 413, 429, 503]);

/** The problems that a route may answer, by status: its own, and those that follow from its shape. */
export function problemsOf(
  route: Route,
): readonly (readonly [status: number, codes: readonly ProblemCode[]])[] {
  const codes = new Set<ProblemCode>([
    ...(route.problems ?? []),
    ...implied(route),
    'card-number-refused',
    'quota-exceeded',
    'internal-error',
    'temporary-reduced-capacity',
  ]);
  const byStatus = new Map<number, ProblemCode[]>();
  for (const code of [...codes].sort()) {
    const [status] = problems[code];
    byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
  }
  return [...byStatus].sort(([a], [b]) => a - b);
}

function implied(route: Route): readonly ProblemCode[] {
  const codes: ProblemCode[] = [];
  if (route.audience !== 'all' && route.audience !== 'provider') codes.push('unauthorized');
  if (route.audience === 'operators' || route.audience === 'finance') codes.push('forbidden');
  if (route.params) codes.push('not-found');
  if (route.query) codes.push('validation-failed');
  if (route.query && 'cursor' in route.query.shape) codes.push('invalid-cursor');
  if (route.body !== undefined) codes.push('payload-too-large');
  if (route.body !== undefined && route.body !== 'text') {
    codes.push('malformed-request', 'unsupported-media-type', 'validation-failed');
  }
  if (route.idempotent) {
    codes.push('idempotency-key-missing', 'idempotency-key-invalid', 'idempotency-key-reused');
  }
  if (route.conditional) codes.push('precondition-required', 'precondition-failed');
  return codes;
}

export function responseOfProblems(status: number, codes: readonly ProblemCode[]): JsonSchema {
  return {
    description: codes.map((code) => `\`${code}\`: ${problems[code][1]}`).join('; '),
    headers: {
      'x-request-id': { $ref: '#/components/headers/RequestId' },
      ...((status === 429 || status === 503) && {
        'retry-after': { $ref: '#/components/headers/RetryAfter' },
      }),
    },
    content: {
      'application/problem+json': {
        schema: {
          allOf: [{ $ref: '#/components/schemas/Problem' }],
          properties: { type: { enum: codes.map(problemType) }, status: { const: status } },
        },
      },
      ...(gatewayStatuses.has(status) && {
        'application/json': { schema: { $ref: '#/components/schemas/GatewayMessage' } },
      }),
    },
  };
}
