import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { batchPut } from '../../functions/kernel/batch.ts';
import type { StoredEvent } from '../../functions/kernel/events.ts';
import { bucketOf } from '../../functions/kernel/ids.ts';
import { chunksOf, inParallel } from '../../functions/kernel/parallel.ts';
import { itemOf } from '../../functions/order/adapters/event-items.ts';
import { startDynamoDb } from '../../local/dynoxide.ts';
import { generatedOrder } from './generated-orders.ts';
import { counter, type Tell } from './progress.ts';
import { projections } from './projections.ts';
import type { Store } from './rebuild.ts';
import { createPlainTable } from './shadow-table.ts';

const tables = { order: 'order', reporting: 'reporting', finance: 'finance' };
const timeZone = 'Asia/Seoul';
/** Orders whose events are delivered in one go, in any order. */
const crowd = 1_000;
const width = 32;

/** Runs `work` with a store of `count` generated orders in a DynamoDB of its own: tables, and nothing else. */
export async function withGeneratedStore<T>(
  count: number,
  tell: Tell,
  work: (store: Store) => Promise<T>,
): Promise<T> {
  const home = await mkdtemp(join(tmpdir(), 'floodgate-rebuild-'));
  const backend = await startDynamoDb(home);
  const documents = documentsAt(backend.endpoint, 'local');
  try {
    for (const name of Object.values(tables)) await createPlainTable(documents, name);
    const store = { documents, tables, shadows: documents, timeZone };
    await fill(store, count, tell);
    return await work(store);
  } finally {
    documents.destroy();
    await backend.stop();
    await rm(home, { recursive: true, force: true });
  }
}

/** A client of a DynamoDB on this machine. */
export function documentsAt(endpoint: string, accessKeyId: string): DynamoDBDocumentClient {
  const credentials = { accessKeyId, secretAccessKey: 'local' };
  return DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region: 'eu-west-1', credentials }), {
    marshallOptions: { removeUndefinedValues: true },
  });
}

/** Stores the events of `count` orders, and delivers them to the consumers of every projection. */
export async function fill(store: Store, count: number, tell: Tell): Promise<void> {
  const { documents } = store;
  const stored = counter('events stored', tell);
  for (const numbers of crowds(count)) {
    const events = numbers.flatMap(generatedOrder);
    await inParallel(chunksOf(events, 25), width / 4, async (chunk) => {
      await batchPut(
        documents,
        store.tables.order,
        chunk.map((event) => itemOf(event)),
      );
      stored.add(chunk.length);
    });
  }
  stored.end();

  const delivered = counter('events delivered, shuffled and some of them twice', tell);
  const consumers = projections(store.timeZone).map((projection) =>
    projection.into(documents, store.tables[projection.name]),
  );
  for (const events of deliveries(count)) {
    await inParallel(events, width, async (event) => {
      for (const consume of consumers) await consume([event]);
      delivered.add(1);
    });
  }
  delivered.end();
}

/**
 * The events as a bus may bring them: later orders before earlier ones, each crowd's events in any order, one in ten
 * twice, and one in ten only with the next crowd.
 */
function* deliveries(count: number): Generator<readonly StoredEvent[]> {
  const random = numbersFrom(count);
  let late: StoredEvent[] = [];
  for (const numbers of [...crowds(count)].reverse()) {
    const events = numbers.flatMap(generatedOrder);
    const twice = events.filter(() => random() < 0.1);
    const held = new Set(events.filter(() => random() < 0.1));
    yield shuffled([...late, ...twice, ...events.filter((event) => !held.has(event))], random);
    late = [...held];
  }
  yield shuffled(late, random);
}

function crowds(count: number): readonly number[][] {
  return chunksOf(
    Array.from({ length: count }, (_, number) => number),
    crowd,
  );
}

function shuffled<T>(values: readonly T[], random: () => number): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other]!, mixed[last]!];
  }
  return mixed;
}

/** Numbers from 0 up to 1, always the same ones for a seed. */
function numbersFrom(seed: number): () => number {
  let drawn = 0;
  return () => bucketOf(`${seed} ${drawn++}`, 2 ** 32) / 2 ** 32;
}
