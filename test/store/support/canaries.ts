import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import type { Store } from '../../../bench/store.ts';
import type { Caller } from '../../../local/types.ts';

const operator: Caller = { kind: 'operator' };

/** A number that passes for a card's (ISO/IEC 7812-1), made from its first digits. */
export function cardNumber(beginning: string): string {
  for (let check = 0; ; check++) {
    const digits = `${beginning}${check}`;
    const sum = [...digits].reverse().reduce((sum, digit, index) => {
      const value = index % 2 === 1 ? Number(digit) * 2 : Number(digit);
      return sum + (value > 9 ? value - 9 : value);
    }, 0);
    if (sum % 10 === 0) return digits;
  }
}

/** The digits in a row, or in groups as people and encodings part them. */
export function writtenAnyhow(digits: string): RegExp {
  return new RegExp([...digits].join('(?:[ +-]|%20|%2D)?'));
}

/** Copies what queues and asynchronous invocations hold, which is gone once it has been worked off. */
export function keepPassing({ cloud: { runtime } }: Pick<Store, 'cloud'>): void {
  runtime.db.exec(`
    CREATE TABLE kept_sqs (body TEXT, attributes TEXT);
    CREATE TRIGGER keep_sqs AFTER INSERT ON sqs_messages BEGIN
      INSERT INTO kept_sqs VALUES (NEW.body, NEW.attributes); END;
    CREATE TABLE kept_lambda (event TEXT);
    CREATE TRIGGER keep_lambda AFTER INSERT ON lambda_async BEGIN INSERT INTO kept_lambda VALUES (NEW.event); END;`);
}

/** Everything that a store has written anywhere, by the place. */
export async function everythingWritten(store: Store): Promise<Map<string, string>> {
  const places = new Map<string, string[]>();
  const add = (place: string, text: string) => places.set(place, [...(places.get(place) ?? []), text]);
  await addItems(store, add);
  addServices(store, add);
  addFiles(store.home, add);
  return new Map([...places].map(([place, texts]) => [place, texts.join('\n')]));
}

type Add = (place: string, text: string) => void;

/** DynamoDB, by table and attribute. */
async function addItems({ cloud: { runtime } }: Store, add: Add): Promise<void> {
  for (const { ref: TableName, logicalId } of runtime.resources('AWS::DynamoDB::Table')) {
    const table = logicalId.replace(/Table.*$/, '').toLowerCase();
    for (let start: object | undefined; ; ) {
      const page = await runtime.call(
        'dynamodb',
        'Scan',
        { TableName, ...(start && { ExclusiveStartKey: start }) },
        operator,
      );
      for (const item of page.Items) {
        for (const [name, value] of Object.entries(item))
          add(`table ${table}: ${name}`, JSON.stringify(value));
      }
      start = page.LastEvaluatedKey;
      if (!start) break;
    }
  }
}

/** What the other services keep in the embedded cloud's database: bus, archive, queues, mail, workflows, accounts. */
function addServices({ cloud: { runtime } }: Store, add: Add): void {
  const tables = runtime.db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  for (const { name } of tables) {
    for (const row of runtime.db.prepare(`SELECT * FROM ${name}`).all()) {
      add(`service ${String(name).replace('_', ': ')}`, JSON.stringify(row));
    }
  }
}

/** Logs and objects. The databases themselves are read above. */
function addFiles(home: string, add: Add): void {
  for (const entry of readdirSync(home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    const path = file.slice(home.length + 1);
    const [folder] = path.split(sep);
    if (folder === 'logs') add(`log ${entry.name}`, readFileSync(file, 'utf8'));
    else if (folder === 's3') add('object', readFileSync(file, 'latin1'));
    else if (/\.log$/.test(path)) add(`log ${path}`, readFileSync(file, 'utf8'));
  }
}
