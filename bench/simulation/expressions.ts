/*
 * DynamoDB's condition and update expressions over items as the document client gives them. What is not here is
 * refused by name, so that a new adapter cannot run on a meaning that nobody wrote.
 * AWS: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
 */

/** An item, or what is known of one. */
export type Item = Readonly<Record<string, any>>;

/** The expressions' placeholders. */
export interface Placeholders {
  readonly ExpressionAttributeNames?: Readonly<Record<string, string>> | undefined;
  readonly ExpressionAttributeValues?: Readonly<Record<string, any>> | undefined;
}

/** An expression that this item cannot be put through: a sum with what is no number, say. */
export class ExpressionRefused extends Error {}

type Value = (item: Item, given: Placeholders) => any;
type Test = (item: Item, given: Placeholders) => boolean;
type Change = (item: Item, given: Placeholders) => readonly [attribute: string, value: any];

const tests = new Map<string, Test>();
const updates = new Map<string, readonly Change[]>();

/** Whether the item (an empty one when there is none) meets the condition. @throws Error on what is not known here */
export function meets(item: Item | undefined, expression: string | undefined, given: Placeholders): boolean {
  if (expression === undefined) return true;
  let test = tests.get(expression);
  if (!test) {
    const parser = new Parser(expression);
    test = parser.either();
    parser.end();
    tests.set(expression, test);
  }
  return test(item ?? {}, given);
}

/** The item after the update. @throws ExpressionRefused; Error on what is not known here */
export function updated(item: Item, expression: string, given: Placeholders): Item {
  let changes = updates.get(expression);
  if (!changes) {
    const parser = new Parser(expression);
    changes = parser.update();
    parser.end();
    updates.set(expression, changes);
  }
  const next: Record<string, any> = { ...item };
  const seen = new Set<string>();
  // All right-hand sides see the item as it was.
  for (const [attribute, value] of changes.map((change) => change(item, given))) {
    if (seen.has(attribute)) throw new ExpressionRefused(`two changes of ${attribute}`);
    if (attribute === 'pk' || attribute === 'sk') throw new ExpressionRefused('a change of the key');
    seen.add(attribute);
    if (value === undefined) delete next[attribute];
    else next[attribute] = value;
  }
  return next;
}

/** DynamoDB's name of the value's type; undefined for what is not there. */
function typeOf(value: any): string | undefined {
  if (value === undefined) return undefined;
  if (value === null) return 'NULL';
  if (Array.isArray(value)) return 'L';
  const known: Readonly<Record<string, string>> = { string: 'S', number: 'N', boolean: 'BOOL', object: 'M' };
  return known[typeof value];
}

/** Only strings and numbers have an order, and only among themselves. */
function ordered(a: any, b: any): boolean {
  return typeof a === typeof b && (typeof a === 'number' || typeof a === 'string');
}

export function equal(a: any, b: any): boolean {
  if (a === b) return a !== undefined;
  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => equal(a[name], b[name]));
}

const comparisons: Readonly<Record<string, (a: any, b: any) => boolean>> = {
  '=': equal,
  // What is not there differs from everything.
  '<>': (a, b) => !equal(a, b),
  '<': (a, b) => ordered(a, b) && a < b,
  '<=': (a, b) => ordered(a, b) && a <= b,
  '>': (a, b) => ordered(a, b) && a > b,
  '>=': (a, b) => ordered(a, b) && a >= b,
};

const functions: Readonly<Record<string, (...values: any[]) => boolean>> = {
  attribute_exists: (value) => value !== undefined,
  attribute_not_exists: (value) => value === undefined,
  attribute_type: (value, type) => typeOf(value) === type,
  begins_with: (value, start) => {
    if (typeof start !== 'string') throw new ExpressionRefused('a beginning that is no string');
    return typeof value === 'string' && value.startsWith(start);
  },
  contains: (value, part) =>
    typeof value === 'string'
      ? typeof part === 'string' && value.includes(part)
      : Array.isArray(value) && value.some((one) => equal(one, part)),
};

/** Recursive descent; each method reads what it is named after. */
class Parser {
  readonly #tokens: readonly string[];
  readonly #source: string;
  #at = 0;

  constructor(source: string) {
    this.#source = source;
    this.#tokens = source.match(/[#:]?\w+|<=|>=|<>|[-+=<>(),]|\S/g) ?? [];
  }

  end(): void {
    if (this.#at < this.#tokens.length) this.#refuse();
  }

  either(): Test {
    let test = this.#both();
    while (this.#take('OR')) {
      const [a, b] = [test, this.#both()];
      test = (item, given) => a(item, given) || b(item, given);
    }
    return test;
  }

  #both(): Test {
    let test = this.#one();
    while (this.#take('AND')) {
      const [a, b] = [test, this.#one()];
      test = (item, given) => a(item, given) && b(item, given);
    }
    return test;
  }

  #one(): Test {
    if (this.#take('NOT')) {
      const test = this.#one();
      return (item, given) => !test(item, given);
    }
    if (this.#take('(')) {
      const test = this.either();
      this.#need(')');
      return test;
    }
    const named = functions[this.#tokens[this.#at] ?? ''];
    if (!named || this.#tokens[this.#at + 1] !== '(') return this.#comparison();
    this.#at++;
    const values = this.#list();
    return (item, given) => named(...values.map((value) => value(item, given)));
  }

  /** Operands in parentheses. */
  #list(): Value[] {
    this.#need('(');
    const values = [this.#operand()];
    while (this.#take(',')) values.push(this.#operand());
    this.#need(')');
    return values;
  }

  #comparison(): Test {
    const left = this.#operand();
    if (this.#take('BETWEEN')) {
      const from = this.#operand();
      this.#need('AND');
      const to = this.#operand();
      return (item, given) => {
        const [value, low, high] = [left(item, given), from(item, given), to(item, given)];
        return ordered(value, low) && ordered(value, high) && value >= low && value <= high;
      };
    }
    if (this.#take('IN')) {
      const values = this.#list();
      return (item, given) => values.some((value) => equal(left(item, given), value(item, given)));
    }
    const compare = comparisons[this.#tokens[this.#at] ?? ''];
    if (!compare) this.#refuse();
    this.#at++;
    const right = this.#operand();
    return (item, given) => compare!(left(item, given), right(item, given));
  }

  update(): readonly Change[] {
    const changes: Change[] = [];
    while (this.#at < this.#tokens.length) {
      const section = this.#tokens[this.#at++];
      do {
        const attribute = this.#name();
        if (section === 'SET') {
          this.#need('=');
          const value = this.#sum();
          changes.push((item, given) => [attribute(given), there(value(item, given))]);
        } else if (section === 'REMOVE') {
          changes.push((_item, given) => [attribute(given), undefined]);
        } else if (section === 'ADD') {
          const value = this.#operand();
          changes.push((item, given) => {
            const name = attribute(given);
            return [name, number(item[name] ?? 0) + number(value(item, given))];
          });
        } else this.#refuse();
      } while (this.#take(','));
    }
    return changes;
  }

  #sum(): Value {
    const left = this.#operand();
    const plus = this.#take('+');
    if (!plus && !this.#take('-')) return left;
    const right = this.#operand();
    return (item, given) => {
      const [a, b] = [number(left(item, given)), number(right(item, given))];
      return plus ? a + b : a - b;
    };
  }

  #operand(): Value {
    if (this.#take('if_not_exists')) {
      const [value, instead] = this.#list();
      return (item, given) => {
        const found = value!(item, given);
        return found === undefined ? instead!(item, given) : found;
      };
    }
    if (this.#take('list_append')) {
      const [first, second] = this.#list();
      return (item, given) => [...list(first!(item, given)), ...list(second!(item, given))];
    }
    if (this.#tokens[this.#at] === 'size' && this.#tokens[this.#at + 1] === '(') {
      this.#at++;
      const [value] = this.#list();
      return (item, given) => sizeOf(value!(item, given));
    }
    const token = this.#tokens[this.#at] ?? '';
    if (token.startsWith(':')) {
      this.#at++;
      return (_item, given) => given.ExpressionAttributeValues?.[token];
    }
    const name = this.#name();
    return (item, given) => item[name(given)];
  }

  #name(): (given: Placeholders) => string {
    const token = this.#tokens[this.#at] ?? '';
    if (!/^#?\w+$/.test(token) || ['.', '['].includes(this.#tokens[this.#at + 1] ?? '')) this.#refuse();
    this.#at++;
    if (!token.startsWith('#')) return () => token;
    return (given) => given.ExpressionAttributeNames?.[token] ?? this.#refuse();
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #need(token: string): void {
    if (!this.#take(token)) this.#refuse();
  }

  #refuse(): never {
    throw new Error(
      `not known here: ${this.#tokens.slice(this.#at).join(' ') || 'the end'} in ${this.#source}`,
    );
  }
}

function there(value: any): any {
  if (value === undefined) throw new ExpressionRefused('an attribute that does not exist in the item');
  return value;
}

function number(value: any): number {
  if (typeof there(value) !== 'number') throw new ExpressionRefused('an operand that is no number');
  return value;
}

function list(value: any): readonly any[] {
  if (!Array.isArray(there(value))) throw new ExpressionRefused('an operand that is no list');
  return value;
}

/** Bytes of a string, members of a list or map; nothing for the rest, which no comparison meets. */
function sizeOf(value: any): number | undefined {
  if (typeof value === 'string') return Buffer.byteLength(value);
  return value !== null && typeof value === 'object' ? Object.keys(value).length : undefined;
}
