import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { inParallel } from '../../functions/kernel/parallel.ts';
import { compare, type Difference, lasting, type Pair, review } from './compare.ts';
import { everyOrder } from './order-events.ts';
import { counter, type Tell } from './progress.ts';
import { type Projection, projections } from './projections.ts';
import { withShadows } from './shadow-table.ts';

/** A store whose projections are to be rebuilt. */
export interface Store {
  readonly documents: DynamoDBDocumentClient;
  /** Physical names. */
  readonly tables: Readonly<Record<'order' | Projection['name'], string>>;
  /** Where shadow tables are made. */
  readonly shadows: DynamoDBDocumentClient;
  /** Whose midnight ends a business date (IANA). */
  readonly timeZone: string;
}

export interface Options {
  /** Parallel segments of every scan. */
  readonly segments: number;
  /** Milliseconds that events on their way are given, before a difference counts. */
  readonly patience: number;
  /** Whether the live tables are made what the events say. */
  readonly write: boolean;
}

/** What came of one projection. */
export interface Outcome {
  readonly projection: Projection['name'];
  /** Rows that the events make. */
  readonly rows: number;
  /** Differences that stay (with `write`: that could not be repaired). */
  readonly differences: number;
  readonly repaired: number;
  /** The first of the differences. */
  readonly shown: readonly Difference[];
}

/** Orders of a page that are projected at the same time, in each segment. */
const width = 16;
/** Differences that are looked at again and named; beyond, they are counted. */
const mostNamed = 1_000;
const looks = 3;

/**
 * Rebuilds every projection from the stored order events.
 * 1. Read the order table in parallel segments, and bring its events into a shadow table of each projection, by the
 *    consumers' own use cases.
 * 2. Compare each shadow with its live table, in both directions.
 * 3. Look again at what differs; or, to write, make it right.
 */
export async function rebuild(store: Store, options: Options, tell: Tell): Promise<readonly Outcome[]> {
  const { documents, tables, shadows } = store;
  const all = projections(store.timeZone);
  const live = all.map(({ name }) => tables[name]);
  return withShadows(shadows, live, async (names) => {
    const pairs = all.map((projection, index) => ({
      projection,
      orders: { documents, table: tables.order },
      live: { documents, table: live[index]! },
      shadow: { documents: shadows, table: names[index]! },
      segments: options.segments,
    }));
    await build(store, pairs, options.segments, tell);
    const outcomes: Outcome[] = [];
    for (const pair of pairs) outcomes.push(await check(pair, options, tell));
    return outcomes;
  });
}

async function build(
  { documents, tables }: Store,
  pairs: readonly Pair[],
  segments: number,
  tell: Tell,
): Promise<void> {
  const events = counter('events read', tell);
  const into = pairs.map(({ projection, shadow }) => projection.into(shadow.documents, shadow.table));
  await everyOrder(documents, tables.order, segments, async (page) => {
    await inParallel(page, width, async (order) => {
      for (const project of into) await project(order);
      events.add(order.length);
    });
  });
  events.end();
}

async function check(pair: Pair, { patience, write }: Options, tell: Tell): Promise<Outcome> {
  const rows = counter(`${pair.projection.name} rows compared`, tell);
  const found: Difference[] = [];
  let uncounted = 0;
  let repaired = 0;
  await compare(
    pair,
    async (difference) => {
      // Enough have been looked at to know that much is wrong.
      if (found.length === mostNamed && !write) uncounted += 1;
      else {
        const verdict = await review(pair, difference, write);
        if (verdict === 'written') repaired += 1;
        if (verdict === 'wrong' && found.length < mostNamed) found.push(difference);
        else if (verdict === 'wrong') uncounted += 1;
      }
    },
    rows.add,
  );
  rows.end();
  const shown = await lasting(pair, found, { patience, looks });
  return {
    projection: pair.projection.name,
    rows: rows.count(),
    differences: shown.length + uncounted,
    repaired,
    shown,
  };
}
