import { isDeepStrictEqual } from 'node:util';
import * as z from 'zod/mini';

export type JsonSchema = Record<string, unknown>;

/** JSON Schemas (draft 2020-12) that share the named ones, which `components` gathers. */
export class SchemaBook {
  readonly components = new Map<string, JsonSchema>();
  readonly #names = z.registry<{ id: string }>();
  readonly #prefix: string;

  /**
   * @param named schemas to be referred to by name in place of being repeated
   * @param prefix where a reference finds the named ones, for example `#/components/schemas/`
   */
  constructor(named: ReadonlyMap<string, z.ZodMiniType>, prefix: string) {
    this.#prefix = prefix;
    for (const [id, schema] of named) this.#names.add(schema, { id });
  }

  /** @param io `input` for what is sent to us, `output` for what we answer */
  of(schema: z.ZodMiniType, io: 'input' | 'output'): JsonSchema {
    const { $schema, $defs, ...own } = z.toJSONSchema(schema, {
      metadata: this.#names,
      target: 'draft-2020-12',
      unrepresentable: 'any',
      io,
      override: ({ jsonSchema }) => {
        // Answers may gain members; whoever reads them ignores what they do not know.
        if (io === 'output' && jsonSchema.additionalProperties === false)
          delete jsonSchema.additionalProperties;
        // The calendar's rules are `format`'s; only UTC is ours.
        if (jsonSchema.format === 'date-time') jsonSchema.pattern = 'Z$';
        delete jsonSchema.id;
      },
    }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
    const names = new Map(
      Object.entries($defs ?? {}).map(([name, definition]) => [name, this.#nameOf(name, definition, io)]),
    );
    for (const [name, definition] of Object.entries($defs ?? {})) {
      this.components.set(names.get(name)!, this.#relink(definition, names));
    }
    return this.#relink(own, names);
  }

  /** A schema that reads otherwise as input than as output (defaults, strictness) has a name for each. */
  #nameOf(name: string, definition: JsonSchema, io: 'input' | 'output'): string {
    const known = this.components.get(name);
    const same = known && isDeepStrictEqual(known, this.#relink(definition, new Map()));
    return known && !same && io === 'input' ? `${name}Input` : name;
  }

  #relink<T>(value: T, names: ReadonlyMap<string, string>): T {
    if (Array.isArray(value)) return value.map((member) => this.#relink(member, names)) as T;
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => {
        const target = key === '$ref' && /^#\/\$defs\/(.+)$/.exec(String(member))?.[1];
        if (!target) return [key, this.#relink(member, names)];
        return [key, this.#prefix + (names.get(target) ?? target)];
      }),
    ) as T;
  }
}

/** `paymentCaptured` as a name of a schema: `PaymentCaptured`. */
export function pascalCase(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}
