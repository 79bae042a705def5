import { randomUUID } from 'node:crypto';
import fc, { type Arbitrary } from 'fast-check';
import type { Route } from '../../../functions/kernel/contract.ts';
import type { Wire } from './requests.ts';

/** Does one bad thing to a request, and says which. */
type Mutation = (wire: Wire) => Wire & { readonly what: string };

/** Every way in which a request to the route can be spoilt. Some leave one that is still to be taken. */
export function mutations(route: Route): Arbitrary<Mutation> {
  const names = Object.keys(route.params?.shape ?? {});
  const chosen: { weight: number; arbitrary: Arbitrary<Mutation> }[] = [
    { weight: 2, arbitrary: headers(route) },
    { weight: 2, arbitrary: query(Object.keys(route.query?.shape ?? {})) },
  ];
  if (names.length > 0) chosen.push({ weight: 3, arbitrary: param(route, names) });
  if (route.body === 'text') chosen.push({ weight: 6, arbitrary: file() });
  else if (route.body !== undefined) chosen.push({ weight: 8, arbitrary: body() });
  else if (route.method !== 'GET') chosen.push({ weight: 1, arbitrary: needlessBody() });
  return fc.oneof(...chosen);
}

const long = 'x'.repeat(20_000);
const names = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'length',
  '',
  'extra',
  'ключ',
];

/** Values that one would rather not find in a string. */
const texts = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202eabc',
  '💥'.repeat(50),
  'e\u0301'.repeat(100),
  "' OR '1'='1",
  '{{7*7}}${7*7}',
  '<script>alert(1)</script>',
  '../../etc/passwd',
  'null',
  'undefined',
  '[object Object]',
  '__proto__',
  'constructor',
  'NaN',
  'Infinity',
  '-1',
  '1e309',
  '9007199254740993',
  '0x10',
  '1.5',
  '9999-99-99',
  '0000-00-00',
  'ord_',
  'sku_ ',
  'prd_#',
  `crt_${'x'.repeat(65)}`,
  'a#b',
  'a/b',
  '%2F',
  '%00',
  'x'.repeat(2_049),
];

/** The same of JSON, as it is written. */
const values = [
  ...texts.map((text) => JSON.stringify(text)),
  JSON.stringify(long),
  'null',
  'true',
  'false',
  '0',
  '-0',
  '-1',
  '1.5',
  '1e400',
  '-1e400',
  '1e308',
  '9007199254740993',
  '123456789012345678901234567890',
  '4242424242424242',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '{"__proto__":{"admin":true}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"amount":"1","currency":"USD"}',
  '{"amount":1,"currency":"XXX"}',
  '{"toString":null,"valueOf":null}',
  `${'['.repeat(5_000)}${']'.repeat(5_000)}`,
  `${'{"a":'.repeat(5_000)}1${'}'.repeat(5_000)}`,
  `[${Array(2_000).fill('{}').join()}]`,
];

const malformed: readonly ((json: string) => string)[] = [
  (json) => json.slice(0, -1),
  (json) => `${json}}`,
  (json) => `${json},`,
  (json) => json.replaceAll('"', "'"),
  (json) => `\ufeff${json}`,
  (json) => `/* */${json}`,
  () => '{',
  () => '{"a":}',
  () => '{"a":1,}',
  () => '{a:1}',
  () => '{"a":NaN}',
  () => '{"a":"\n"}',
  () => '{"a":"\\x"}',
  () => '[',
  () => '\u0000',
  () => 'null null',
  () => '['.repeat(20_000),
];

const otherTypes = [
  'text/plain',
  'text/html; charset=utf-8',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/octet-stream',
  'application/jsonx',
  'json',
  ',',
];

function body(): Arbitrary<Mutation> {
  return fc.oneof(
    { weight: 6, arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...values)).map(replaceNode) },
    { weight: 2, arbitrary: fc.tuple(fc.nat(), fc.json()).map(replaceNode) },
    { weight: 3, arbitrary: fc.nat().map(dropMember) },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...names), fc.constantFrom(...values)).map(addMember),
    },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(...malformed)
        .map((spoil) => content('malformed JSON', (json) => spoil(json))),
    },
    { weight: 1, arbitrary: fc.constant(content('no body', () => '')) },
    { weight: 1, arbitrary: fc.constantFrom(...otherTypes).map(contentType) },
  );
}

/** Where a value stands in a JSON document. */
type Path = readonly (string | number)[];

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== 'object' || value === null) return;
  const members = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  for (const [name, member] of members) yield* pathsOf(member, [...path, name]);
}

function parsed({ content = '{}' }: Wire): unknown {
  return JSON.parse(content);
}

const pick = <T>(list: readonly T[], index: number): T => list[index % list.length]!;

function replaceNode([index, json]: [number, string]): Mutation {
  return (wire) => {
    const value = parsed(wire);
    const path = pick([...pathsOf(value)], index);
    return {
      ...wire,
      what: `${path.join('/') || 'the body'} is ${json.slice(0, 60)}`,
      content: written(value, path, json),
    };
  };
}

function dropMember(index: number): Mutation {
  return (wire) => {
    const value = parsed(wire);
    const path = pick([...pathsOf(value)].slice(1), index);
    if (path === undefined) return { ...wire, what: 'nothing' };
    return { ...wire, what: `without ${path.join('/')}`, content: written(value, path, undefined) };
  };
}

function addMember([index, name, json]: [number, string, string]): Mutation {
  return (wire) => {
    const value = parsed(wire);
    const objects = [...pathsOf(value)].filter((path) => isObject(at(value, path)));
    const path = pick(objects, index);
    if (path === undefined) return { ...wire, what: 'nothing' };
    return {
      ...wire,
      what: `${path.join('/')} with ${name}: ${json.slice(0, 60)}`,
      content: written(value, path, writtenObject(at(value, path) as object, name, json)),
    };
  };
}

/** JSON text of `value` with `json` at `path`; without it, of a value that has nothing there. */
function written(value: unknown, path: Path, json: string | undefined): string {
  if (path.length === 0) return json ?? '';
  const mark = randomUUID();
  const copy = structuredClone(value);
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>;
  const name = path.at(-1)!;
  if (json !== undefined) parent[name] = mark;
  else if (Array.isArray(parent)) parent.splice(Number(name), 1);
  else delete parent[name];
  return JSON.stringify(copy).replace(`"${mark}"`, () => json ?? '');
}

function writtenObject(object: object, name: string, json: string): string {
  const rest = JSON.stringify(object).slice(1);
  return `{${JSON.stringify(name)}:${json}${rest === '}' ? '' : ','}${rest}`;
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((node, name) => (node as Record<string | number, unknown>)[name], value);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function content(what: string, spoil: (content: string) => string): Mutation {
  return (wire) => ({ ...wire, what, content: spoil(wire.content ?? '{}') });
}

function contentType(type: string): Mutation {
  return (wire) => ({
    ...wire,
    what: `content-type ${type}`,
    content: wire.content ?? '{}',
    headers: { ...wire.headers, 'content-type': type },
  });
}

function needlessBody(): Arbitrary<Mutation> {
  return fc
    .tuple(fc.constantFrom('application/json', ...otherTypes), fc.constantFrom(...values, '{', '\u0000'))
    .map(([type, text]) => (wire) => ({
      ...wire,
      what: `a body that nobody asked for: ${type} ${text.slice(0, 60)}`,
      content: text,
      headers: { ...wire.headers, 'content-type': type },
    }));
}

function file(): Arbitrary<Mutation> {
  const whole = [
    '',
    '\n\n\n',
    '\u0000',
    '\ufeffid,name\n1,2\n',
    'id,name\n"never closed,1\n',
    'id,id\n1,2\n',
    '__proto__,constructor,toString\n1,2,3\n',
    'id,name\n1\n1,2,3\n',
    `id\n${'x,'.repeat(20_000)}\n`,
    `id,name\n${'a,b\n'.repeat(5_001)}`,
    `id,name\n1,${'x'.repeat(1_500_001)}\n`,
    '- '.repeat(5_000),
    '{'.repeat(10_000),
    '&a [*a, *a]',
    '- &a {id: 1}\n- *a\n',
    '- id: [1, 2]\n  name: {a: b}\n',
    '- __proto__: {admin: true}\n  constructor: 1\n',
    'id: 1\n',
    '- ? {a: 1}\n  : b\n',
    '%YAML 9.9\n---\n- id: 1\n',
    '- id: !!js/function "x"\n',
    '---\n- id: 1\n---\n- id: 2\n',
    '\t- id: 1',
    'null',
    '[]',
  ];
  const put = (what: string, spoil: (text: string) => string): Mutation => content(what, spoil);
  return fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom(...whole).map((text) => put(`the file ${text.slice(0, 40)}`, () => text)),
    },
    {
      weight: 2,
      arbitrary: fc
        .string({ unit: 'binary', maxLength: 500 })
        .map((text) => put('a random file', () => text)),
    },
    {
      weight: 3,
      arbitrary: fc.tuple(fc.nat(), fc.constantFrom(...texts, long)).map(([index, odd]) =>
        put(`a cell is ${odd.slice(0, 40)}`, (text) => {
          const cells = text.split(/([,:\n])/);
          cells[(index * 2) % cells.length] = odd;
          return cells.join('');
        }),
      ),
    },
    {
      weight: 2,
      arbitrary: fc.nat().map((index) => put('cut off', (text) => text.slice(0, index % (text.length + 1)))),
    },
    { weight: 1, arbitrary: fc.constantFrom('application/json', '', ...otherTypes).map(contentType) },
  );
}

function query(known: readonly string[]): Arbitrary<Mutation> {
  const name = known.length > 0 ? fc.constantFrom(...known, ...known, ...names) : fc.constantFrom(...names);
  const value = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...texts) },
    { weight: 1, arbitrary: fc.base64String({ minLength: 1, maxLength: 200 }) },
    {
      weight: 1,
      arbitrary: fc
        .json({ maxDepth: 2 })
        .map((json) => Buffer.from(json).toString('base64url').slice(0, 2_000)),
    },
  );
  return fc.tuple(name, value, fc.boolean()).map(([name, value, twice]) => (wire) => ({
    ...wire,
    what: `?${name}=${value.slice(0, 60)}${twice ? ', added' : ''}`,
    query: [...wire.query.filter(([other]) => twice || other !== name), [name, value] as const],
  }));
}

function param(route: Route, names: readonly string[]): Arbitrary<Mutation> {
  const set = (name: string, value: string): Mutation => {
    return (wire) => ({
      ...wire,
      what: `{${name}} is ${value.slice(0, 60)}`,
      params: { ...wire.params, [name]: value },
    });
  };
  const odd = fc.oneof(
    fc.constantFrom(
      ...texts,
      '.',
      '..',
      '...',
      'x'.repeat(3_000),
      'x'.repeat(12_000),
      '{orderId}',
      '*',
      '$default',
    ),
    fc.string({ unit: 'binary', maxLength: 100 }),
  );
  const badEncoding = fc.constantFrom('%', '%ZZ', '%C3', '%FF', '%E0%80%80').map(
    (wrong): Mutation =>
      (wire) => ({
        ...wire,
        what: `a path with ${wrong}`,
        path: route.path.replace(/\{\w+\}/g, wrong),
      }),
  );
  return fc.oneof(
    {
      weight: 12,
      arbitrary: fc.tuple(fc.constantFrom(...names), odd).map(([name, value]) => set(name, value)),
    },
    { weight: 1, arbitrary: badEncoding },
  );
}

/** Those that a route insists on, and those that every route reads. */
function headers(route: Route): Arbitrary<Mutation> {
  const choices: Record<string, (string | undefined)[]> = {
    'if-none-match': ['*', '"x"', 'W/"1", "2"', ''],
    'accept-language': ['ko-KR,ko;q=0.9', '*;q=0', ';;;,,,', 'ko;q=abc', 'x'.repeat(3_000)],
    'x-request-id': ['', 'a b', 'é', 'x'.repeat(129), '"}{'],
    traceparent: ['00-0-0-0', `00-${'0'.repeat(32)}-${'0'.repeat(16)}-01`, 'x'.repeat(500), ''],
    'x-filler': ['x'.repeat(12_000)],
    'x-forwarded-host': ['evil.example', ' ', 'a b', '//'],
  };
  const required: Record<string, (string | undefined)[]> = {
    ...(route.idempotent && { 'idempotency-key': [undefined, '', 'a b', 'é', 'x'.repeat(256)] }),
    ...(route.conditional && {
      'if-match': [undefined, '', '"nonsense"', 'nonsense', 'W/"1"', '"1", "2"', 'é'],
    }),
  };
  const entries = (of: typeof choices) =>
    Object.entries(of).flatMap(([name, list]) => list.map((value) => [name, value] as const));
  const set = ([name, value]: readonly [string, string | undefined]): Mutation => {
    return (wire) => {
      const { [name]: _, ...rest } = wire.headers;
      return {
        ...wire,
        what: `${name}: ${value?.slice(0, 60)}`,
        headers: value === undefined ? rest : { ...rest, [name]: value },
      };
    };
  };
  const common = fc.constantFrom(...entries(choices)).map(set);
  const insisted = entries(required);
  return insisted.length === 0 ? common : fc.oneof(common, fc.constantFrom(...insisted).map(set));
}
