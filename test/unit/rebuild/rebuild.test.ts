import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { financeTable } from '../../../functions/finance/table.infra.ts';
import { orderTable } from '../../../functions/order/table.infra.ts';
import { reportingTable } from '../../../functions/reporting/table.infra.ts';
import { fill } from '../../../scripts/rebuild/generated-store.ts';
import { rebuild, type Store } from '../../../scripts/rebuild/rebuild.ts';
import { startDynamo, type TestDynamo } from '../../support/dynamo.ts';

type Key = { readonly pk: string; readonly sk: string };
type Name = 'reporting' | 'finance';

const count = 300;
const quiet = () => {};
const options = { segments: 3, patience: 0, write: false };

let dynamo: TestDynamo | undefined;
let store: Store;
beforeAll(async () => {
  dynamo = await startDynamo({ ...orderTable, indexes: [], name: 'order' }, reportingTable, financeTable);
  const { documents, table } = dynamo;
  const tables = { order: table('order'), reporting: table('reporting'), finance: table('finance') };
  store = { documents, shadows: documents, tables, timeZone: 'Asia/Seoul' };
  await fill(store, count, quiet);
});
afterAll(() => dynamo?.stop());

async function rowsOf(name: Name): Promise<(Key & Record<string, any>)[]> {
  const { Items = [] } = await store.documents.send(
    new ScanCommand({ TableName: store.tables[name], ConsistentRead: true }),
  );
  return Items as (Key & Record<string, any>)[];
}

const keyOf = ({ pk, sk }: Key): Key => ({ pk, sk });
const put = (name: Name, Item: object) =>
  store.documents.send(new PutCommand({ TableName: store.tables[name], Item }));

/** Changes a byte of one row, takes one away and adds one; answers what must be found, and how to undo it. */
async function spoil(name: Name, changed: object, extra: Key & object) {
  const [one, two] = await rowsOf(name);
  await put(name, { ...one, ...changed });
  await store.documents.send(new DeleteCommand({ TableName: store.tables[name], Key: keyOf(two!) }));
  await put(name, extra);
  const wanted = [
    { kind: 'changed', ...keyOf(one!) },
    { kind: 'missing', ...keyOf(two!) },
    { kind: 'extra', ...keyOf(extra) },
  ];
  const undo = async () => {
    await put(name, one!);
    await put(name, two!);
    await store.documents.send(new DeleteCommand({ TableName: store.tables[name], Key: keyOf(extra) }));
  };
  return { wanted, undo };
}

async function found(name: Name, write = false) {
  const outcomes = await rebuild(store, { ...options, write }, quiet);
  const outcome = outcomes.find(({ projection }) => projection === name)!;
  expect(outcome.differences).toBe(outcome.shown.length);
  return { ...outcome, shown: outcome.shown.map(({ kind, pk, sk }) => ({ kind, pk, sk })) };
}

const inAnyOrder = (wanted: readonly object[]) =>
  expect.toSatisfy((shown: readonly object[]) => {
    const texts = (all: readonly object[]) => all.map((one) => JSON.stringify(one)).sort();
    return JSON.stringify(texts(shown)) === JSON.stringify(texts(wanted));
  });

describe('rebuilding what consumers made of shuffled and doubled events', () => {
  it('makes every projection again, byte for byte', async () => {
    const outcomes = await rebuild(store, options, quiet);
    const [list, journal] = outcomes;
    expect(list).toMatchObject({ projection: 'reporting', rows: count, differences: 0 });
    expect(journal).toMatchObject({ projection: 'finance', differences: 0 });
    expect(journal!.rows).toBeGreaterThan(count / 2);
    expect(await rowsOf('finance')).toHaveLength(journal!.rows);
  });

  it('leaves no shadow table behind', async () => {
    const { TableNames = [] } = await store.documents.send(new ListTablesCommand({}));
    expect(TableNames.toSorted()).toEqual(Object.values(store.tables).toSorted());
  });

  it('finds a changed, a missing and an extra row of the list, and repairs them', async () => {
    const { fact1 } = (await rowsOf('reporting'))[0]!;
    const at = `${fact1.at.slice(0, -2)}9Z`;
    const extra = { pk: 'ORDER#ord_NOBODY', sk: 'ROW', fact1 };
    const { wanted } = await spoil('reporting', { fact1: { ...fact1, at }, fact99: fact1 }, extra);
    expect((await found('reporting')).shown).toEqual(inAnyOrder(wanted));
    expect(await found('reporting', true)).toMatchObject({ differences: 0, repaired: 3 });
    expect(await found('reporting')).toMatchObject({ rows: count, differences: 0, repaired: 0 });
    expect(await rowsOf('reporting')).toHaveLength(count);
  });

  it('finds the same in the journal, adds the missing entry, and changes nothing that stands there', async () => {
    const [entry] = await rowsOf('finance');
    const postings = entry!.postings.map((posting: object, index: number) =>
      index === 0 ? { ...posting, debit: 1 } : posting,
    );
    const extra = { ...entry!, sk: 'ENTRY#evt_NOBODY-1', eventId: 'evt_NOBODY-1' };
    const { wanted, undo } = await spoil('finance', { postings }, extra);
    expect((await found('finance')).shown).toEqual(inAnyOrder(wanted));
    const written = await found('finance', true);
    expect(written).toMatchObject({ differences: 2, repaired: 1 });
    expect(written.shown.map(({ kind }) => kind).sort()).toEqual(['changed', 'extra']);
    await undo();
    expect(await found('finance')).toMatchObject({ differences: 0 });
  });

  it('does not count what an event on its way explains', async () => {
    const [row] = await rowsOf('reporting');
    const TableName = store.tables.reporting;
    await store.documents.send(new DeleteCommand({ TableName, Key: keyOf(row!) }));
    // The consumer catches up while the tables are compared.
    const outcomes = await rebuild(store, options, (line) => {
      if (line.includes('reporting rows')) void put('reporting', row!);
    });
    expect(outcomes[0]).toMatchObject({ differences: 0 });
  });
});

it('the command generates a store, verifies it and says what it took', async () => {
  const child = spawn(process.execPath, ['scripts/rebuild.ts', '--verify', '--generate', '40'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  expect(code).toBe(0);
  expect(said).toMatch(/40 reporting rows compared, [\d.]+ s/);
  expect(said).toMatch(/[\d.]+ s in all, at most \d+ MB of memory/);
});
