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

/** The item after the update. @throws Error on what is not known here */
export function updated(item: Item, expression: string, given: Placeholders): Item {
  let changes = updates.get(expression);
  if (!changes) {
    const parser = new Parser(expression);
    changes = parser.update();
    parser.end();
    updates.set(expression, changes);
  }
  const next: Record<string, any> = { ...item };
  // All right-hand sides see the item as it was.
  for (const [attribute, value] of changes.map((change) => change(item, given))) {
    if (value === undefined) delete next[attribute];
    else next[attribute] = value;
  }
  return next;
}

const comparisons: Readonly<Record<string, (a: any, b: any) => boolean>> = {
  '=': (a, b) => a === b,
  '<>': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
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
    const exists = this.#take('attribute_exists');
    if (exists || this.#take('attribute_not_exists')) {
      this.#need('(');
      const value = this.#operand();
      this.#need(')');
      return (item, given) => (value(item, given) !== undefined) === exists;
    }
    if (this.#take('begins_with')) {
      this.#need('(');
      const value = this.#operand();
      this.#need(',');
      const start = this.#operand();
      this.#need(')');
      return (item, given) => String(value(item, given) ?? '').startsWith(start(item, given));
    }
    return this.#comparison();
  }

  #comparison(): Test {
    const left = this.#operand();
    if (this.#take('BETWEEN')) {
      const from = this.#operand();
      this.#need('AND');
      const to = this.#operand();
      return (item, given) => {
        const value = left(item, given);
        return value !== undefined && value >= from(item, given) && value <= to(item, given);
      };
    }
    const compare = comparisons[this.#tokens[this.#at] ?? ''];
    if (!compare) this.#refuse();
    this.#at++;
    const right = this.#operand();
    return (item, given) => {
      const [a, b] = [left(item, given), right(item, given)];
      return a !== undefined && b !== undefined && compare!(a, b);
    };
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
          changes.push((item, given) => [attribute(given), value(item, given)]);
        } else if (section === 'REMOVE') {
          changes.push((_item, given) => [attribute(given), undefined]);
        } else if (section === 'ADD') {
          const value = this.#operand();
          changes.push((item, given) => {
            const name = attribute(given);
            return [name, (item[name] ?? 0) + value(item, given)];
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
    return (item, given) => left(item, given) + (plus ? right(item, given) : -right(item, given));
  }

  #operand(): Value {
    if (this.#take('if_not_exists')) {
      this.#need('(');
      const value = this.#operand();
      this.#need(',');
      const instead = this.#operand();
      this.#need(')');
      return (item, given) => value(item, given) ?? instead(item, given);
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
    if (!/^#?\w+$/.test(token) || this.#tokens[this.#at + 1] === '.') this.#refuse();
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
