import type * as z from 'zod/mini';
import type { Route } from '../../functions/kernel/contract.ts';
import * as kernel from '../../functions/kernel/contract.ts';
import type { ContextContract } from './contracts.ts';
import { problemsOf, responseOfProblems } from './openapi-problems.ts';
import { type JsonSchema, pascalCase, SchemaBook } from './schemas.ts';

/** The public routes: under `/v1`, so neither the gateway's `$default` nor the sandbox provider's own API. */
export function publicRoutes(contracts: readonly ContextContract[]) {
  return contracts
    .flatMap(({ context, routes }) => routes.map((route) => ({ context, route })))
    .filter(({ route }) => route.path.startsWith('/v1/'))
    .sort((a, b) => compare(a.route.path, b.route.path) || compare(a.route.method, b.route.method));
}

/** The OpenAPI 3.1 document of the public API. */
export function openApiOf(contracts: readonly ContextContract[]): JsonSchema {
  const routes = publicRoutes(contracts);
  const book = new SchemaBook(namedSchemas(contracts, routes), '#/components/schemas/');
  // The problem comes first, so that its name is taken whichever routes there are.
  book.of(kernel.problem, 'output');
  const refusals = new Map<string, JsonSchema>();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const { context, route } of routes) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(context, route, book, refusals),
    };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Floodgate',
      version: 'v1',
      description:
        'A commerce API. Amounts are integers of minor units. Every refusal of our own code is an RFC 9457 problem; what the gateway answers by itself has a plain `message`.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/' }],
    tags: [...new Set(routes.map(({ context }) => context))].sort().map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          bearerFormat: 'JWT',
          description: 'An access token of the user pool; an ID token is refused.',
        },
        machine: {
          type: 'oauth2',
          description:
            'For systems. The token endpoint is that of the sign-in address (stack output SignInUrl).',
          flows: {
            clientCredentials: {
              tokenUrl: '/oauth2/token',
              scopes: Object.fromEntries(
                Object.entries(kernel.machineScopes).map(([name, meaning]) => [scopeName(name), meaning]),
              ),
            },
          },
        },
      },
      parameters: headerParameters,
      headers: responseHeaders,
      responses: sorted(refusals),
      schemas: {
        ...sorted(book.components),
        GatewayMessage: {
          type: 'object',
          description: 'What the gateway answers by itself.',
          properties: { message: { type: 'string' } },
          required: ['message'],
        },
      },
    },
  };
}

const headerParameters = {
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    required: true,
    description: 'New for a new deed, the same for a retry of it.',
    schema: { type: 'string', minLength: 1, maxLength: 255, pattern: '^[\\x21-\\x7e]+$' },
  },
  IfMatch: {
    name: 'If-Match',
    in: 'header',
    required: true,
    description: 'The ETag that was read, or `*` for whatever is there.',
    schema: { type: 'string', minLength: 1 },
  },
  Traceparent: {
    name: 'traceparent',
    in: 'header',
    required: false,
    description: 'W3C Trace Context; carried through events and the payment.',
    schema: { type: 'string' },
  },
};

const responseHeaders = {
  RequestId: { description: 'To quote when asking for help.', schema: { type: 'string' } },
  RetryAfter: { description: 'Seconds to wait before another try.', schema: { type: 'integer', minimum: 0 } },
};

/**
 * The exported schemas that have a name of their own in the document. A name that two contexts use for different
 * schemas gets the context in front.
 */
function namedSchemas(
  contracts: readonly ContextContract[],
  routes: ReturnType<typeof publicRoutes>,
): ReadonlyMap<string, z.ZodMiniType> {
  const named = new Map<string, z.ZodMiniType>([
    ['Problem', kernel.problem],
    ['Money', kernel.money],
    ['Address', kernel.address],
  ]);
  const taken = new Set(named.values());
  for (const { context, schemas } of contracts.filter((c) => routes.some((r) => r.context === c.context))) {
    for (const [name, schema] of schemas) {
      if (taken.has(schema)) continue;
      taken.add(schema);
      const id = pascalCase(name);
      named.set(named.has(id) ? pascalCase(context) + id : id, schema);
    }
  }
  return named;
}

/** @param refusals gathers the responses that stand for one problem alone, by the name of their component */
function operation(
  context: string,
  route: Route,
  book: SchemaBook,
  refusals: Map<string, JsonSchema>,
): JsonSchema {
  const responses: Record<string, JsonSchema> = {};
  for (const [status, schema] of Object.entries(route.responses)) {
    responses[status] = success(Number(status), schema, book);
  }
  if (route.method === 'GET' && !route.live) {
    responses['304'] = { description: 'Not modified since the ETag of If-None-Match' };
  }
  for (const [status, codes] of problemsOf(route)) {
    const response = responseOfProblems(status, codes);
    const name = codes.length === 1 ? codes[0]!.split('-').map(pascalCase).join('') : undefined;
    if (name) refusals.set(name, response);
    responses[status] = name ? { $ref: `#/components/responses/${name}` } : response;
  }
  return {
    operationId: route.id,
    summary: route.summary,
    tags: [context],
    security: securityOf(route),
    parameters: parametersOf(route, book),
    ...(route.body !== undefined && { requestBody: requestBody(route.body, book) }),
    responses,
  };
}

function success(status: number, schema: z.ZodMiniType | 'empty', book: SchemaBook): JsonSchema {
  return {
    description: { 200: 'Done', 201: 'Created', 202: 'Accepted; it goes on', 204: 'Done' }[status] ?? 'Done',
    headers: { 'x-request-id': { $ref: '#/components/headers/RequestId' } },
    ...(schema !== 'empty' && { content: { 'application/json': { schema: book.of(schema, 'output') } } }),
  };
}

function securityOf({ audience, machineScope }: Route): JsonSchema[] {
  if (audience === 'all' || audience === 'provider') return [];
  if (audience === 'guest') return [{}, { bearer: [] }];
  return [{ bearer: [] }, ...(machineScope ? [{ machine: [scopeName(machineScope)] }] : [])];
}

/** As tokens spell it. */
function scopeName(scope: string): string {
  return `${kernel.resourceServer}/${scope}`;
}

function parametersOf(route: Route, book: SchemaBook): JsonSchema[] {
  const reference = (name: keyof typeof headerParameters) => ({ $ref: `#/components/parameters/${name}` });
  return [
    ...members(route.params, 'path', book),
    ...members(route.query, 'query', book),
    ...(route.idempotent ? [reference('IdempotencyKey')] : []),
    ...(route.conditional ? [reference('IfMatch')] : []),
    reference('Traceparent'),
  ];
}

function members(
  schema: z.ZodMiniObject | undefined,
  place: 'path' | 'query',
  book: SchemaBook,
): JsonSchema[] {
  if (!schema) return [];
  const { properties = {}, required = [] } = book.of(schema, 'input') as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, member]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: member,
  }));
}

function requestBody(body: NonNullable<Route['body']>, book: SchemaBook): JsonSchema {
  if (body === 'text') return { required: true, content: { '*/*': { schema: { type: 'string' } } } };
  return {
    required: !('safeParse' in body && body.safeParse({}).success),
    content: { 'application/json': { schema: book.of(body, 'input') } },
  };
}

function sorted(named: ReadonlyMap<string, JsonSchema>): Record<string, JsonSchema> {
  return Object.fromEntries([...named].sort(([a], [b]) => compare(a, b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
