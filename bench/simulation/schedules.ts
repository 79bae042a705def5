import { exportedDates } from '../../functions/finance/adapters/exported-dates.ts';
import { addEntry, countOf, entriesOf } from '../../functions/finance/adapters/journal-table.ts';
import { lastReconciled } from '../../functions/finance/adapters/reconciled-days.ts';
import { exportJournal } from '../../functions/finance/app/export-journal.ts';
import { writeManifest } from '../../functions/finance/app/export-manifest.ts';
import { fetchSettlement } from '../../functions/finance/app/fetch-settlement.ts';
import { matchSettlement } from '../../functions/finance/app/match-settlement.ts';
import { planExport } from '../../functions/finance/app/plan-export.ts';
import { postSettlement } from '../../functions/finance/app/post-settlement.ts';
import { isoInstant } from '../../functions/kernel/clock.ts';
import { bucketOf } from '../../functions/kernel/ids.ts';
import { auditBus } from '../../functions/order/adapters/audit-bus.ts';
import { auditConsumers } from '../../functions/order/adapters/audit-consumers.ts';
import { dynamoAuditList } from '../../functions/order/adapters/audit-list.ts';
import { loadEvents } from '../../functions/order/adapters/event-store.ts';
import { auditEvents } from '../../functions/order/app/audit-events.ts';
import { dueBuckets } from '../../functions/order/keys.ts';
import { journalledUpTo } from '../../functions/order/published.ts';
import { type Actors, timeZone } from './actors.ts';
import { Bucket } from './bucket.ts';
import type { Bus } from './bus.ts';
import { putEvents } from './put-events.ts';
import type { Scheduler } from './scheduler.ts';
import { sourceOf, TaskFailed, type Tasks, Workflow } from './workflow.ts';
import type { World } from './world.ts';

/** Milliseconds for which a scheduled function may run. */
const limit = 300_000;

/** What the schedules run: sweeper, auditor, export and reconciliation. */
export class Schedules {
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #actors: Actors;
  readonly #bus: Bus;
  readonly bucket: Bucket;
  #runs = 0;

  constructor(world: World, scheduler: Scheduler, actors: Actors, bus: Bus) {
    this.#world = world;
    this.#scheduler = scheduler;
    this.#actors = actors;
    this.#bus = bus;
    this.bucket = new Bucket(world);
  }

  async sweep(): Promise<void> {
    const actor = `sweep ${++this.#runs}`;
    await this.#scheduler.invoke(actor, limit, () => this.#actors.sweep(actor));
  }

  async audit(): Promise<void> {
    const actor = `audit ${++this.#runs}`;
    const documents = this.#world.documents(actor);
    const list = dynamoAuditList(documents, 'order');
    // Buckets without an order are passed over without steps.
    const unseen = dynamoAuditList(this.#world.documents(), 'order');
    const ids = this.#world.tables.all('order').flatMap(({ orderId }) => orderId ?? []);
    const buckets = new Set(ids.map((id) => bucketOf(id, dueBuckets)));
    const of = (bucket: number) => (buckets.has(bucket) ? list : unseen);
    const tables = { finance: 'finance', notification: 'notification', reporting: 'reporting' };
    const bus = putEvents(this.#world, actor, (event) => this.#bus.put(event));
    await this.#scheduler.invoke(actor, limit, () =>
      auditEvents({
        now: this.#world.clockOf(actor),
        progress: list.progress,
        saveProgress: list.saveProgress,
        listed: (bucket) => of(bucket).listed(bucket),
        list: (bucket, order) => of(bucket).list(bucket, order),
        unlist: (bucket, orderId) => of(bucket).unlist(bucket, orderId),
        duePages: (bucket, from, to) => of(bucket).duePages(bucket, from, to),
        load: (orderId) => loadEvents(documents, 'order', orderId),
        missing: auditConsumers(documents, tables, timeZone),
        // The comparison of stock and orders is a function of its own, which does not run here.
        drifting: async () => 0,
        send: auditBus('floodgate', bus as any, this.#world.sleep),
      })(),
    );
  }

  /** The export of the next business date that is over. */
  export(): Promise<unknown> {
    const documents = this.#world.documents();
    return this.#workflow('finance-export', (actor) => {
      const bucket = this.bucket.of(actor);
      const dates = exportedDates(bucket);
      const journal = { entriesOf: entriesOf(documents, 'finance'), countOf: countOf(documents, 'finance') };
      return {
        'plan-export': planExport({
          timeZone,
          journalledUpTo: () => journalledUpTo(documents, 'order'),
          ...bucket,
          ...dates,
        }),
        'export-journal': exportJournal({ ...journal, ...bucket, ...dates }),
        'export-manifest': writeManifest(bucket),
      };
    });
  }

  /** The reconciliation of the provider's next day that is over. */
  reconcile(): Promise<unknown> {
    return this.#workflow('finance-reconcile', (actor) => {
      const documents = this.#world.documents(actor);
      const bucket = this.bucket.of(actor);
      const ports = { timeZone, ...bucket, lastReconciled: lastReconciled(bucket) };
      const settlementOf = (date: string) => this.#world.settlementOf(actor, date);
      return {
        'fetch-settlement': fetchSettlement({ ...ports, settlementOf }),
        'post-settlement': postSettlement({ ...ports, add: addEntry(documents, 'finance') }),
        'match-settlement': matchSettlement({
          ...ports,
          entriesOf: entriesOf(this.#world.documents(), 'finance'),
        }),
      };
    });
  }

  /** Each task is an invocation of its own. */
  #workflow(file: string, tasksOf: (actor: string) => Tasks): Promise<unknown> {
    const run = `${file} ${++this.#runs}`;
    let invocations = 0;
    const tasks = Object.fromEntries(
      Object.keys(tasksOf(run)).map((name) => [
        name,
        async (input: unknown) => {
          const actor = `${run}/${name} ${++invocations}`;
          const invoked = await this.#scheduler.invoke(actor, limit, () => tasksOf(actor)[name]!(input));
          if ('gone' in invoked) throw new TaskFailed('Lambda.Unknown');
          if ('error' in invoked) throw invoked.error;
          return invoked.value;
        },
      ]),
    );
    const wait = (seconds: number) => this.#scheduler.sleep(seconds * 1_000);
    return new Workflow(sourceOf(file), tasks, undefined, wait).run({ time: isoInstant(this.#world.now) });
  }
}
