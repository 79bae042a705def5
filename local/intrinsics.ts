/** What an expression of a template may refer to. */
export interface Scope {
  /** `Ref`: a resource, a parameter or a pseudo parameter. */
  ref(name: string): unknown;
  attribute(logicalId: string, attribute: string): string;
  importValue(exportName: string): unknown;
  stackOutput(stack: string, output: string): unknown;
  mapping(map: string, first: string, second: string): unknown;
  condition(name: string): boolean;
  /** The value of `{{resolve:service:reference}}`. */
  dynamicReference(service: string, reference: string): string;
  /** Applied to every string that an intrinsic function has put together. */
  finish(text: string): string;
}

/** What `AWS::NoValue` resolves to: the property is left out. */
export const NO_VALUE = Symbol('AWS::NoValue');

type Functions = Record<string, (argument: any, scope: Scope) => unknown>;

const functions: Functions = {
  Ref: (name, scope) => scope.ref(name),
  'Fn::GetAtt': (argument, scope) => {
    const [logicalId, ...attribute] = typeof argument === 'string' ? argument.split('.') : argument;
    return scope.attribute(logicalId, String(resolve(attribute.join('.'), scope)));
  },
  'Fn::Join': ([separator, parts], scope) =>
    scope.finish((resolve(parts, scope) as unknown[]).map(String).join(separator)),
  'Fn::Sub': (argument, scope) => {
    const [text, variables] = typeof argument === 'string' ? [argument, {}] : argument;
    return scope.finish(substitute(text, resolve(variables, scope) as Record<string, unknown>, scope));
  },
  'Fn::Select': ([index, list], scope) => {
    const items = resolve(list, scope) as unknown[];
    const item = items[Number(resolve(index, scope))];
    if (item === undefined) throw new Error(`Fn::Select: the list has no item ${JSON.stringify(index)}`);
    return item;
  },
  'Fn::Split': ([separator, text], scope) => String(resolve(text, scope)).split(separator),
  'Fn::ImportValue': (name, scope) => scope.importValue(String(resolve(name, scope))),
  'Fn::GetStackOutput': (argument, scope) => {
    const { StackName, OutputName } = resolve(argument, scope) as Record<string, string>;
    return scope.stackOutput(StackName!, OutputName!);
  },
  'Fn::FindInMap': (argument, scope) => {
    const [map, first, second] = (resolve(argument, scope) as unknown[]).map(String);
    return scope.mapping(map!, first!, second!);
  },
  'Fn::Base64': (text, scope) => Buffer.from(String(resolve(text, scope))).toString('base64'),
  'Fn::If': ([condition, yes, no], scope) => resolve(scope.condition(condition) ? yes : no, scope),
};

const conditionFunctions: Functions = {
  Condition: (name, scope) => scope.condition(name),
  'Fn::Equals': (pair, scope) => {
    const [left, right] = resolve(pair, scope) as unknown[];
    return String(left) === String(right);
  },
  'Fn::Not': ([condition], scope) => !holds(condition, scope),
  'Fn::And': (all: unknown[], scope) => all.every((condition) => holds(condition, scope)),
  'Fn::Or': (any: unknown[], scope) => any.some((condition) => holds(condition, scope)),
};

/**
 * The value of a template expression.
 * @throws Error on an intrinsic function that the embedded cloud does not know, or a reference to nothing.
 */
export function resolve(value: unknown, scope: Scope): unknown {
  if (typeof value === 'string') return resolveDynamicReferences(value, scope);
  if (Array.isArray(value)) {
    return value.map((item) => resolve(item, scope)).filter((item) => item !== NO_VALUE);
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only && (only[0] === 'Ref' || only[0].startsWith('Fn::'))) {
    const run = functions[only[0]];
    if (!run) throw new Error(`the intrinsic function ${only[0]} is not supported`);
    const result = run(only[1], scope);
    return typeof result === 'string' ? resolveDynamicReferences(result, scope) : result;
  }
  const resolved = entries.map(([key, item]) => [key, resolve(item, scope)] as const);
  return Object.fromEntries(resolved.filter(([, item]) => item !== NO_VALUE));
}

/** Whether a condition expression of a template's `Conditions` holds. */
export function holds(expression: unknown, scope: Scope): boolean {
  const [entry] = Object.entries(expression as Record<string, unknown>);
  const run = entry && conditionFunctions[entry[0]];
  if (!run) throw new Error(`${JSON.stringify(expression)} is not a condition`);
  return run(entry[1], scope) as boolean;
}

function substitute(text: string, variables: Record<string, unknown>, scope: Scope): string {
  return text.replace(/\$\{([^}]*)\}/g, (whole, name: string) => {
    if (name.startsWith('!')) return '${' + name.slice(1) + '}';
    const trimmed = name.trim();
    if (Object.hasOwn(variables, trimmed)) return String(variables[trimmed]);
    if (trimmed === '') return whole;
    const dot = trimmed.indexOf('.');
    return dot < 0
      ? String(scope.ref(trimmed))
      : scope.attribute(trimmed.slice(0, dot), trimmed.slice(dot + 1));
  });
}

function resolveDynamicReferences(text: string, scope: Scope): string {
  if (!text.includes('{{resolve:')) return text;
  return text.replace(/\{\{resolve:([a-z-]+):([^{}]+)\}\}/g, (_, service: string, reference: string) =>
    scope.dynamicReference(service, reference),
  );
}
