import { BlockList, isIP } from 'node:net';

/*
 * EventBridge event patterns, as rules, archives, pipes and event source mappings filter with them:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */

type Test = (value: unknown) => boolean;
type Matcher = (event: unknown) => boolean;

/** What a field's list may hold: a test of a value that is there, or of the field's absence. */
interface Leaf {
  readonly whenAbsent: boolean;
  readonly test: Test;
}

/**
 * Reads a pattern once, so that matching is only matching.
 * @throws Error naming the operator or field that is not part of the pattern language.
 */
export function compilePattern(pattern: unknown, path = '$'): Matcher {
  if (!isObject(pattern)) throw new Error(`Event pattern: ${path} must be an object`);
  const fields = Object.entries(pattern).map(([name, expected]) => compileField(name, expected, path));
  return (event) => eachElement(event, (object) => fields.every((matches) => matches(object)));
}

function compileField(
  name: string,
  expected: unknown,
  path: string,
): (object: Record<string, unknown>) => boolean {
  const here = `${path}.${name}`;
  if (name === '$or' && Array.isArray(expected)) {
    const branches = expected.map((branch, index) => compilePattern(branch, `${here}[${index}]`));
    return (object) => branches.some((matches) => matches(object));
  }
  if (Array.isArray(expected)) {
    if (expected.length === 0) throw new Error(`Event pattern: ${here} is an empty list`);
    const leaves = expected.map((item) => compileLeaf(item, here));
    return (object) => {
      const values = leafValues(object[name]);
      if (values.length === 0) return leaves.some((leaf) => leaf.whenAbsent);
      return values.some((value) => leaves.some((leaf) => leaf.test(value)));
    };
  }
  if (isObject(expected)) {
    const matches = compilePattern(expected, here);
    // A missing object still has to satisfy `exists: false` further down.
    return (object) => matches(object[name] ?? {});
  }
  throw new Error(`Event pattern: ${here} must be a list or an object`);
}

function compileLeaf(item: unknown, path: string): Leaf {
  if (item === null || typeof item !== 'object') return present((value) => value === item);
  const [operator, ...more] = Object.keys(item);
  if (operator === undefined || more.length > 0)
    throw new Error(
      `Event pattern: ${path} must have one operator in each object, not ${JSON.stringify(item)}`,
    );
  const operand = (item as Record<string, unknown>)[operator];
  if (operator === 'exists') {
    if (typeof operand !== 'boolean') throw invalid(operator, operand, path);
    return { whenAbsent: !operand, test: () => operand };
  }
  if (operator === 'anything-but') return present(anythingBut(operand, path));
  return present(operation(operator, operand, path));
}

function present(test: Test): Leaf {
  return { whenAbsent: false, test };
}

function operation(operator: string, operand: unknown, path: string): Test {
  switch (operator) {
    case 'prefix':
      return affix(operand, 'startsWith', operator, path);
    case 'suffix':
      return affix(operand, 'endsWith', operator, path);
    case 'equals-ignore-case': {
      const wanted = text(operand, operator, path).toLowerCase();
      return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
    }
    case 'wildcard': {
      const expression = wildcard(text(operand, operator, path), path);
      return (value) => typeof value === 'string' && expression.test(value);
    }
    case 'numeric':
      return numeric(operand, path);
    case 'cidr':
      return cidr(text(operand, operator, path), path);
    default:
      throw new Error(`Event pattern: unknown operator "${operator}" at ${path}`);
  }
}

function affix(operand: unknown, method: 'startsWith' | 'endsWith', operator: string, path: string): Test {
  if (isObject(operand) && Object.keys(operand).join() === 'equals-ignore-case') {
    const wanted = text(operand['equals-ignore-case'], operator, path).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase()[method](wanted);
  }
  const wanted = text(operand, operator, path);
  return (value) => typeof value === 'string' && value[method](wanted);
}

function anythingBut(operand: unknown, path: string): Test {
  if (isObject(operand)) {
    const [operator, ...more] = Object.keys(operand);
    if (
      !operator ||
      more.length > 0 ||
      !['prefix', 'suffix', 'wildcard', 'equals-ignore-case'].includes(operator)
    )
      throw new Error(`Event pattern: unknown operator "anything-but ${Object.keys(operand)}" at ${path}`);
    const tests = [operand[operator]].flat().map((one) => operation(operator, one, path));
    return (value) => typeof value === 'string' && !tests.some((test) => test(value));
  }
  const refused = [operand].flat();
  for (const one of refused)
    if (typeof one !== 'string' && typeof one !== 'number') throw invalid('anything-but', operand, path);
  return (value) => !refused.includes(value);
}

const comparisons: Record<string, (value: number, bound: number) => boolean> = {
  '=': (value, bound) => value === bound,
  '<': (value, bound) => value < bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '>=': (value, bound) => value >= bound,
};

function numeric(operand: unknown, path: string): Test {
  if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4))
    throw invalid('numeric', operand, path);
  const tests: ((value: number) => boolean)[] = [];
  for (let index = 0; index < operand.length; index += 2) {
    const compare = comparisons[operand[index]];
    const bound = operand[index + 1];
    if (!compare || typeof bound !== 'number') throw invalid('numeric', operand, path);
    tests.push((value) => compare(value, bound));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

function cidr(range: string, path: string): Test {
  const [network = '', bits = ''] = range.split('/');
  const version = isIP(network);
  if (version === 0 || !/^\d{1,3}$/.test(bits)) throw invalid('cidr', range, path);
  const family = version === 4 ? 'ipv4' : 'ipv6';
  const addresses = new BlockList();
  addresses.addSubnet(network, Number(bits), family);
  return (value) => typeof value === 'string' && isIP(value) === version && addresses.check(value, family);
}

function wildcard(pattern: string, path: string): RegExp {
  if (pattern.includes('**')) throw invalid('wildcard', pattern, path);
  let source = '';
  for (let index = 0; index < pattern.length; index += 1) {
    const character = pattern[index] as string;
    const next = pattern[index + 1];
    if (character === '\\' && (next === '*' || next === '\\')) {
      source += `\\${next}`;
      index += 1;
    } else if (character === '*') source += '.*';
    else source += character.replace(/[.+?^${}()|[\]\\]/, '\\$&');
  }
  return new RegExp(`^${source}$`, 's');
}

/** Fields match by any of their values; an object is no value, so `exists` sees only leaves. */
function leafValues(value: unknown): unknown[] {
  if (value === undefined || isObject(value)) return [];
  return Array.isArray(value) ? value.flat(Infinity).filter((item) => !isObject(item)) : [value];
}

/** A list of objects matches when one of its objects satisfies the whole of the sub-pattern. */
function eachElement(event: unknown, matches: (object: Record<string, unknown>) => boolean): boolean {
  if (Array.isArray(event)) return event.some((element) => eachElement(element, matches));
  return matches(isObject(event) ? event : {});
}

function text(operand: unknown, operator: string, path: string): string {
  if (typeof operand !== 'string') throw invalid(operator, operand, path);
  return operand;
}

function invalid(operator: string, operand: unknown, path: string): Error {
  return new Error(`Event pattern: ${JSON.stringify(operand)} is not a value for "${operator}" at ${path}`);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
