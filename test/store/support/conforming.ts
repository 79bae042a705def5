import fc, { type Arbitrary } from 'fast-check';

/** The part of JSON Schema that the schemas of requests come to. */
export interface JsonSchema {
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: JsonSchema | boolean;
  readonly propertyNames?: JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/**
 * Values that conform to `schema`. Where `like` has a value, that one is the likeliest: so that a request is mostly
 * about things that there are.
 * @throws Error for a schema that this does not know
 */
export function conforming(schema: JsonSchema, like?: unknown): Arbitrary<unknown> {
  const any = unlike(schema, like);
  if (like === undefined) return any;
  return fc.oneof({ weight: 2, arbitrary: fc.constant(like) }, { weight: 1, arbitrary: any });
}

function unlike(schema: JsonSchema, like: unknown): Arbitrary<unknown> {
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (schema.anyOf) return branch(schema.anyOf, like);
  switch (schema.type) {
    case 'object':
      return object(schema, isObject(like) ? like : {});
    case 'array':
      return array(schema, Array.isArray(like) ? like[0] : undefined);
    case 'string':
      return text(schema);
    case 'integer':
      return integer(schema);
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      throw new Error(`no values for the schema ${JSON.stringify(schema)}`);
  }
}

/** Whichever branch `like` belongs to is the likeliest. */
function branch(schemas: readonly JsonSchema[], like: unknown): Arbitrary<unknown> {
  const weighed = schemas.map((schema) => ({
    weight: isObject(like) && hasShape(schema, like) ? 4 : 1,
    arbitrary: unlike(schema, like),
  }));
  return fc.oneof(...weighed);
}

function hasShape({ properties = {}, required = [] }: JsonSchema, value: object): boolean {
  return required.every((name) => name in value) && Object.keys(value).every((name) => name in properties);
}

function object(schema: JsonSchema, like: Readonly<Record<string, unknown>>): Arbitrary<unknown> {
  const { properties, required = [], additionalProperties, propertyNames } = schema;
  if (!properties && typeof additionalProperties === 'object') {
    const names = propertyNames ? text(propertyNames) : fc.string();
    return fc.dictionary(names, unlike(additionalProperties, undefined), { maxKeys: 5 });
  }
  const members = Object.entries(properties ?? {}).map(([name, member]) => {
    const present = conforming(member, like[name]).map((value) => [name, value] as const);
    if (required.includes(name)) return present;
    const weight = name in like ? 3 : 1;
    return fc.oneof(
      { weight, arbitrary: present },
      { weight: 4 - weight, arbitrary: fc.constant(undefined) },
    );
  });
  return fc.tuple(...members).map((entries) => Object.fromEntries(entries.filter((e) => e !== undefined)));
}

function array({ items = {}, minItems = 0, maxItems = 60 }: JsonSchema, like: unknown): Arbitrary<unknown> {
  const few = fc.array(conforming(items, like), { minLength: minItems, maxLength: Math.min(3, maxItems) });
  const most = fc.array(conforming(items, like), { minLength: maxItems, maxLength: maxItems });
  return fc.oneof({ weight: 15, arbitrary: few }, { weight: 1, arbitrary: most });
}

function integer({ minimum, maximum }: JsonSchema): Arbitrary<number> {
  const min = minimum ?? Number.MIN_SAFE_INTEGER;
  const max = maximum ?? Number.MAX_SAFE_INTEGER;
  return fc.oneof(
    fc.integer({ min, max: Math.min(max, min + 10) }),
    fc.integer({ min, max }),
    fc.constantFrom(min, max),
  );
}

/** Letters of every script, and what only looks like text. */
function text({ minLength = 0, maxLength = 200, pattern }: JsonSchema): Arbitrary<string> {
  const strings = pattern
    ? fc.stringMatching(new RegExp(pattern))
    : fc.oneof(
        fc.string({ minLength, maxLength: Math.min(maxLength, 60) }),
        fc.string({ unit: 'grapheme', minLength, maxLength: Math.max(minLength, Math.floor(maxLength / 8)) }),
        fc.string({ unit: 'binary', minLength, maxLength: Math.max(minLength, Math.floor(maxLength / 8)) }),
        fc
          .constantFrom('x', '\u0000', '__proto__', '../..', '${x}', 'e\u0301', '%', '#', '\u202e')
          .map((odd) => odd.padEnd(Math.max(minLength, 1), 'x')),
        fc.constant('x'.repeat(maxLength)),
      );
  // Leading and trailing blanks are taken away before a length is looked at.
  return strings.filter((value) => value.length <= maxLength && value.trim().length >= minLength);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
