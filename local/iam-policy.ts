/** Why a policy cannot be evaluated here; raised when the cloud starts, never in the middle of a call. */
export class PolicyError extends Error {}

/** The caller and the circumstances of a call, as condition keys in lower case. */
export type Context = ReadonlyMap<string, string>;

/** One statement of a policy document, compiled. */
export interface Statement {
  readonly allows: boolean;
  matchesAction(action: string): boolean;
  matchesResource(arn: string): boolean;
  /** Resource policies only. */
  readonly principal?: Principal;
  /** Undefined where the statement has no conditions. */
  readonly holds?: (context: Context) => boolean;
}

/** Whom a statement of a resource policy speaks of. */
interface Principal {
  readonly everyone: boolean;
  /** ARNs of roles, and `arn:aws:iam::<account>:root` for the whole account. */
  readonly aws: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

type Test = (wanted: string) => (actual: string) => boolean;

const equal: Test = (wanted) => (actual) => actual === wanted;
const equalIgnoringCase: Test = (wanted) => (actual) => actual.toLowerCase() === wanted.toLowerCase();
const like: Test = (wanted) => pattern(wanted);
const numeric =
  (compare: (actual: number, wanted: number) => boolean): Test =>
  (wanted) =>
  (actual) =>
    compare(Number(actual), Number(wanted));

/** AWS's condition operators; `negated` ones hold when no value matches, and when the key is absent. */
const operators: Readonly<Record<string, { test: Test; negated?: true }>> = {
  StringEquals: { test: equal },
  StringNotEquals: { test: equal, negated: true },
  StringEqualsIgnoreCase: { test: equalIgnoringCase },
  StringNotEqualsIgnoreCase: { test: equalIgnoringCase, negated: true },
  StringLike: { test: like },
  StringNotLike: { test: like, negated: true },
  ArnEquals: { test: like },
  ArnLike: { test: like },
  ArnNotEquals: { test: like, negated: true },
  ArnNotLike: { test: like, negated: true },
  Bool: { test: equalIgnoringCase },
  NumericEquals: { test: numeric((actual, wanted) => actual === wanted) },
  NumericNotEquals: { test: numeric((actual, wanted) => actual === wanted), negated: true },
  NumericLessThan: { test: numeric((actual, wanted) => actual < wanted) },
  NumericLessThanEquals: { test: numeric((actual, wanted) => actual <= wanted) },
  NumericGreaterThan: { test: numeric((actual, wanted) => actual > wanted) },
  NumericGreaterThanEquals: { test: numeric((actual, wanted) => actual >= wanted) },
};

/**
 * Compiles a policy document.
 * @param place names the policy in error messages
 * @throws PolicyError on anything that is not evaluated here
 */
export function compilePolicy(document: any, place: string): Statement[] {
  return list(document?.Statement).map((statement) => compileStatement(statement, place));
}

function compileStatement(statement: any, place: string): Statement {
  const { Effect, Action, NotAction, Resource, NotResource, Principal, Condition, Sid, ...rest } = statement;
  const [unknown] = Object.keys(rest);
  if (unknown) throw new PolicyError(`${place}: ${unknown} is not supported in a policy statement`);
  if (Effect !== 'Allow' && Effect !== 'Deny') throw new PolicyError(`${place}: Effect ${Effect}`);
  if (Action === undefined && NotAction === undefined) throw new PolicyError(`${place}: no Action`);
  const matchesAction = matcher(Action ?? NotAction, place, true);
  const matchesResource = matcher(Resource ?? NotResource ?? '*', place, false);
  const conditions = Condition === undefined ? [] : compileConditions(Condition, place);
  return {
    allows: Effect === 'Allow',
    matchesAction: Action === undefined ? (action) => !matchesAction(action) : matchesAction,
    matchesResource: NotResource === undefined ? matchesResource : (arn) => !matchesResource(arn),
    ...(Principal === undefined ? {} : { principal: compilePrincipal(Principal, place) }),
    ...(conditions.length === 0
      ? {}
      : { holds: (context) => conditions.every((condition) => condition(context)) }),
  };
}

function compilePrincipal(principal: any, place: string): Principal {
  if (principal === '*') return { everyone: true, aws: new Set(), services: new Set() };
  const { AWS, Service, ...rest } = principal;
  const [unknown] = Object.keys(rest);
  if (unknown) throw new PolicyError(`${place}: the principal type ${unknown} is not supported`);
  const aws = list(AWS).map(String);
  return {
    everyone: aws.includes('*'),
    aws: new Set(aws.map((id) => (/^\d{12}$/.test(id) ? `arn:aws:iam::${id}:root` : id))),
    services: new Set(list(Service).map(String)),
  };
}

function compileConditions(block: Record<string, any>, place: string): ((context: Context) => boolean)[] {
  return Object.entries(block).flatMap(([written, keys]) =>
    Object.entries(keys).map(([key, values]) => {
      const wanted = list(values).map(String);
      for (const value of wanted) refuseVariables(value, place);
      return compileCondition(written, key.toLowerCase(), wanted, place);
    }),
  );
}

function compileCondition(
  written: string,
  key: string,
  wanted: readonly string[],
  place: string,
): (context: Context) => boolean {
  if (written === 'Null') return (context) => String(!context.has(key)) === wanted[0]?.toLowerCase();
  const [, quantifier, name = '', ifExists] =
    /^(ForAllValues:|ForAnyValue:)?(.+?)(IfExists)?$/.exec(written) ?? [];
  const operator = operators[name];
  if (!operator) throw new PolicyError(`${place}: the condition operator ${written} is not supported`);
  const { test, negated = false } = operator;
  // Every condition key of the services here has one value, so a set operator differs only when the key is absent.
  const whenAbsent = quantifier ? quantifier === 'ForAllValues:' : negated || ifExists !== undefined;
  const tests = wanted.map(test);
  return (context) => {
    const actual = context.get(key);
    if (actual === undefined) return whenAbsent;
    return tests.some((matches) => matches(actual)) !== negated;
  };
}

function matcher(patterns: unknown, place: string, ignoreCase: boolean): (text: string) => boolean {
  const compiled = list(patterns).map((text) => {
    refuseVariables(String(text), place);
    return pattern(String(text), ignoreCase);
  });
  return (text) => compiled.some((matches) => matches(text));
}

/** `*` is any run of characters, `?` any one. */
function pattern(text: string, ignoreCase = false): (actual: string) => boolean {
  if (text === '*') return () => true;
  if (!/[*?]/.test(text)) {
    return ignoreCase ? (actual) => actual.toLowerCase() === text.toLowerCase() : (actual) => actual === text;
  }
  const source = text
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  const expression = new RegExp(`^${source}$`, ignoreCase ? 'is' : 's');
  return (actual) => expression.test(actual);
}

function refuseVariables(text: string, place: string): void {
  if (text.includes('${')) throw new PolicyError(`${place}: policy variables are not supported (${text})`);
}

/** AWS writes a list of one as the item alone. */
function list(value: unknown): any[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
