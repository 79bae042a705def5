import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problems } from '../../functions/kernel/errors.ts';
import { type ContextContract, loadContracts } from '../../scripts/docs/contracts.ts';
import { openApiOf, publicRoutes } from '../../scripts/docs/openapi.ts';

const root = join(import.meta.dirname, '../..');
const methods = ['get', 'post', 'put', 'patch', 'delete'];

let contracts: readonly ContextContract[];
let document: any;
let operations: { path: string; method: string; operation: any }[];

beforeAll(async () => {
  contracts = await loadContracts(join(root, 'functions'));
  document = openApiOf(contracts);
  operations = Object.entries<Record<string, any>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
  );
});

/** What a JSON pointer such as `#/components/schemas/Money` names. */
function at(pointer: string): any {
  return pointer
    .slice(2)
    .split('/')
    .reduce((node, part) => node?.[part.replace(/~1/g, '/').replace(/~0/g, '~')], document);
}

function* nodes(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const member of Object.values(value)) yield* nodes(member);
}

const resolved = (node: any) => (node.$ref ? at(node.$ref) : node);
const named = (parameters: any[], place: string) =>
  parameters.map(resolved).filter((parameter) => parameter.in === place);

describe('the contracts', () => {
  it('are found by folder', () => {
    expect(contracts.map(({ context }) => context)).toEqual(
      expect.arrayContaining(['cart', 'catalog', 'order']),
    );
    expect(publicRoutes(contracts).length).toBeGreaterThan(20);
  });

  it('give each route an id, and a method and path, of its own', () => {
    const routes = contracts.flatMap((contract) => contract.routes);
    const unique = (values: string[]) => expect(values).toEqual([...new Set(values)]);
    unique(routes.map(({ id }) => id));
    unique(routes.map(({ method, path }) => `${method} ${path}`));
  });

  it('declare every parameter of a path, and no other', () => {
    for (const { route } of publicRoutes(contracts)) {
      const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      expect({ [route.id]: Object.keys(route.params?.shape ?? {}).sort() }).toEqual({
        [route.id]: inPath.sort(),
      });
    }
  });

  it('answer at least one success with a status that is one', () => {
    for (const { route } of publicRoutes(contracts)) {
      const statuses = Object.keys(route.responses).map(Number);
      expect(statuses.length).toBeGreaterThan(0);
      expect(statuses.every((status) => status >= 200 && status < 300)).toBe(true);
    }
  });
});

describe('the OpenAPI document', () => {
  it('has an operation for each public route, under its id and context', () => {
    expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(
      publicRoutes(contracts)
        .map(({ route }) => route.id)
        .sort(),
    );
    for (const { context, route } of publicRoutes(contracts)) {
      const operation = document.paths[route.path][route.method.toLowerCase()];
      expect(operation.operationId).toBe(route.id);
      expect(operation.tags).toEqual([context]);
    }
    const tags = document.tags.map(({ name }: { name: string }) => name);
    expect(tags).toEqual([...new Set(operations.map(({ operation }) => operation.tags[0]))].sort());
  });

  it('is of version 3.1 with nothing outside what that knows', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.components)).toEqual(
      expect.arrayContaining(['schemas', 'parameters', 'responses', 'securitySchemes', 'headers']),
    );
    for (const { path, method } of operations) {
      expect(path).toMatch(/^\/v1\/[\w./{}-]+$/);
      expect(methods).toContain(method);
    }
    for (const kind of Object.values<object>(document.components)) {
      for (const name of Object.keys(kind)) expect(name).toMatch(/^[\w.-]+$/);
    }
  });

  it('has no reference that leads nowhere, and no component that nothing refers to', () => {
    const references = [...nodes(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    expect(references.length).toBeGreaterThan(50);
    for (const reference of references)
      expect([reference, typeof at(reference)]).toEqual([reference, 'object']);
    for (const kind of ['schemas', 'responses', 'headers', 'parameters']) {
      for (const name of Object.keys(document.components[kind])) {
        expect(references).toContain(`#/components/${kind}/${name}`);
      }
    }
    expect(JSON.stringify(document)).not.toContain('$defs');
  });

  it('declares every parameter of every path, required', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = named(operation.parameters, 'path');
      expect(declared.map(({ name }) => name).sort()).toEqual(inPath.sort());
      expect(declared.every(({ required }) => required === true)).toBe(true);
      const names = operation.parameters.map(resolved).map((p: any) => `${p.in} ${p.name}`);
      expect(names).toEqual([...new Set(names)]);
    }
  });

  it('asks for the headers that the contract asks for', () => {
    for (const { route } of publicRoutes(contracts)) {
      const { parameters } = document.paths[route.path][route.method.toLowerCase()];
      const required = named(parameters, 'header').filter((parameter) => parameter.required);
      expect(required.map(({ name }) => name)).toEqual([
        ...(route.idempotent ? ['Idempotency-Key'] : []),
        ...(route.conditional ? ['If-Match'] : []),
      ]);
    }
  });

  it('asks for a token where one is needed, and lets guests do without', () => {
    for (const { route } of publicRoutes(contracts)) {
      const { security } = document.paths[route.path][route.method.toLowerCase()];
      const expected = { all: [], provider: [], guest: [{}, { bearer: [] }] }[route.audience as string];
      const machine = route.machineScope ? [{ machine: [`floodgate/${route.machineScope}`] }] : [];
      expect(security).toEqual(expected ?? [{ bearer: [] }, ...machine]);
    }
  });

  it('describes every answer: successes with their body, problems with their type and status', () => {
    for (const { operation } of operations) {
      const codes = Object.keys(operation.responses);
      expect(codes.some((status) => status.startsWith('2'))).toBe(true);
      expect(codes).toEqual(expect.arrayContaining(['422', '429', '500', '503']));
      for (const [status, reference] of Object.entries(operation.responses)) {
        const response = resolved(reference);
        expect(response.description).toEqual(expect.any(String));
        if (Number(status) < 400) continue;
        const { properties } = response.content['application/problem+json'].schema;
        expect(properties.status.const).toBe(Number(status));
        for (const type of properties.type.enum) {
          const code = type.replace('https://floodgate.dev/problems/', '') as keyof typeof problems;
          expect(problems[code]?.[0]).toBe(Number(status));
        }
      }
    }
  });

  it('knows the problems that a route declares and those that follow from its shape', () => {
    const types = (path: string, method: string, status: number) => {
      const response = resolved(document.paths[path][method].responses[status]);
      return response.content['application/problem+json'].schema.properties.type.enum.map((type: string) =>
        type.split('/').at(-1),
      );
    };
    const line = '/v1/carts/{cartId}/lines/{sku}';
    expect(types(line, 'put', 409)).toEqual(['cart-closed']);
    expect(types(line, 'put', 412)).toEqual(['precondition-failed']);
    expect(types(line, 'put', 428)).toEqual(['precondition-required']);
    expect(types(line, 'put', 422)).toEqual(
      ['card-number-refused', 'currency-mismatch', 'too-many-lines', 'validation-failed'].sort(),
    );
    expect(types('/v1/orders', 'post', 400)).toContain('idempotency-key-missing');
    expect(types('/v1/orders', 'get', 400)).toEqual(['invalid-cursor']);
    expect(document.paths['/v1/products'].get.responses[401]).toBeUndefined();
    expect(types('/v1/admin/products', 'post', 403)).toEqual(['forbidden']);
  });

  it('tells what is sent from what is answered', () => {
    const { parameters } = document.paths['/v1/orders'].get;
    const limit = named(parameters, 'query').find(({ name }) => name === 'limit');
    expect(limit).toMatchObject({
      required: false,
      schema: { type: 'integer', minimum: 1, maximum: 100, default: 20 },
    });
    const put = document.paths['/v1/carts/{cartId}/lines/{sku}'].put;
    expect(put.requestBody).toEqual({
      required: true,
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: { quantity: { type: 'integer', minimum: 1, maximum: 999 } },
            required: ['quantity'],
          },
        },
      },
    });
    expect(document.paths['/v1/carts'].post.requestBody.required).toBe(false);
    expect(put.responses[200].content['application/json'].schema).toEqual({
      $ref: '#/components/schemas/Cart',
    });
    expect(document.components.schemas.Cart.properties.total).toEqual({ $ref: '#/components/schemas/Money' });
    // Whoever reads an answer must not choke on a member that is new.
    for (const node of nodes(document.components.schemas)) expect(node.additionalProperties).not.toBe(false);
  });
});

describe('the generated files', () => {
  const folders: string[] = [];
  afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true }))));

  /** A copy of what the generator reads and writes, for it to work on. */
  async function copy(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'floodgate-docs-'));
    folders.push(folder);
    for (const part of ['functions', 'scripts', 'docs', 'package.json']) {
      await cp(join(root, part), join(folder, part), { recursive: true });
    }
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'));
    return folder;
  }

  async function generate(folder: string, ...options: string[]): Promise<{ code: number; said: string }> {
    const run = promisify(execFile)(process.execPath, [join(folder, 'scripts/generate-docs.ts'), ...options]);
    return run.then(
      ({ stdout }) => ({ code: 0, said: stdout }),
      (error) => ({ code: error.code, said: error.stderr }),
    );
  }

  it('are what the contracts say', async () => {
    expect(await generate(root, '--check')).toEqual({ code: 0, said: '' });
  });

  it('have a page for each problem', async () => {
    const pages = await readdir(join(root, 'docs/problems'));
    expect(pages.sort()).toEqual(
      Object.keys(problems)
        .map((code) => `${code}.md`)
        .sort(),
    );
  });

  it('are found out when they differ, are missing or are left over, and put right again', async () => {
    const folder = await copy();
    const openApi = join(folder, 'docs/openapi.json');
    const written = await readFile(openApi, 'utf8');
    await writeFile(openApi, written.replace('"Floodgate"', '"Floodgates"'));
    await rm(join(folder, 'docs/table.md'));
    await writeFile(join(folder, 'docs/problems/gone.md'), 'old');

    const check = await generate(folder, '--check');
    expect(check.code).toBe(1);
    for (const name of ['openapi.json', 'table.md', 'problems/gone.md'])
      expect(check.said).toContain(`docs/${name}`);
    expect(check.said).not.toContain('events.json');

    expect((await generate(folder)).code).toBe(0);
    expect(await readFile(openApi, 'utf8')).toBe(written);
    expect(await generate(folder, '--check')).toEqual({ code: 0, said: '' });
  });
});
