/** CorsConfiguration of an AWS::ApiGatewayV2::Api. */
export interface CorsConfiguration {
  readonly AllowOrigins?: readonly string[];
  readonly AllowMethods?: readonly string[];
  readonly AllowHeaders?: readonly string[];
  readonly ExposeHeaders?: readonly string[];
  readonly AllowCredentials?: boolean;
  /** Seconds. */
  readonly MaxAge?: number;
}

type Headers = Readonly<Record<string, string>>;

export function isPreflight(method: string, headers: Headers): boolean {
  return method === 'OPTIONS' && 'origin' in headers && 'access-control-request-method' in headers;
}

/** Headers of the answer to a preflight; none for an origin that is not allowed. */
export function preflightHeaders(cors: CorsConfiguration, headers: Headers): Record<string, string> {
  const common = originHeaders(cors, headers);
  if (!common) return {};
  return {
    ...common,
    ...listed('access-control-allow-methods', cors.AllowMethods),
    ...listed('access-control-allow-headers', cors.AllowHeaders),
    ...(cors.MaxAge !== undefined && { 'access-control-max-age': String(cors.MaxAge) }),
  };
}

/** Headers added to every other answer. */
export function corsHeaders(cors: CorsConfiguration, headers: Headers): Record<string, string> {
  const common = originHeaders(cors, headers);
  return common ? { ...common, ...listed('access-control-expose-headers', cors.ExposeHeaders) } : {};
}

function originHeaders(cors: CorsConfiguration, { origin }: Headers): Record<string, string> | undefined {
  if (!origin) return undefined;
  const allowed = cors.AllowOrigins ?? [];
  const any = allowed.includes('*');
  if (!any && !allowed.some((pattern) => matches(pattern, origin))) return undefined;
  return {
    'access-control-allow-origin': any ? '*' : origin,
    ...(cors.AllowCredentials && { 'access-control-allow-credentials': 'true' }),
  };
}

/** An allowed origin may be `https://*` or `http://*`. */
function matches(pattern: string, origin: string): boolean {
  return pattern.endsWith('*') ? origin.startsWith(pattern.slice(0, -1)) : pattern === origin;
}

function listed(name: string, values: readonly string[] | undefined): Record<string, string> {
  return values && values.length > 0 ? { [name]: values.join(',') } : {};
}
