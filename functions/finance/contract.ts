import * as z from 'zod/mini';
import { amount, currency, instant, listOf, page, route } from '../kernel/contract.ts';

/* What is handed from one state of the export to the next */

const businessDate = z.iso.date();

/** Either the moment at which the schedule meant to run, or the business date to export (again). */
export const exportRequest = z.union([
  z.strictObject({ date: businessDate }),
  z.strictObject({ time: z.iso.datetime({ offset: true }) }),
]);

export const exportPlan = z.object({
  date: businessDate,
  timeZone: z.string(),
  /**
   * `ready`: to be exported. `exported`: it is, and running again must give the same. `waiting`: not every event of
   * it is in the journal; a later run tries again.
   */
  state: z.enum(['ready', 'exported', 'waiting']),
  /** Up to when everything is in the journal, as the auditor found; absent before its first run. */
  journalledUpTo: z.optional(instant),
});
export type ExportPlan = z.infer<typeof exportPlan>;

const exportFile = z.object({
  name: z.string(),
  /** Without the header. */
  rows: z.int(),
  bytes: z.int(),
  /** Lower-case hexadecimal. */
  sha256: z.string(),
});

/** The sums of both sides by currency, in minor units. */
const totals = z.partialRecord(currency, z.object({ debit: amount, credit: amount }));

const content = {
  /** 3: files are named by their content. 2: by their names alone, as before. */
  schemaVersion: z.literal([2, 3]),
  /** Whose midnight began and ended the business date (IANA). */
  timeZone: z.string(),
  date: businessDate,
  generatedFrom: z.object({
    /** Journal entries. */
    entries: z.int(),
    firstOccurredAt: z.optional(instant),
    lastOccurredAt: z.optional(instant),
    /** Entries by their business date: this one, and earlier ones whose export was made without them. */
    days: z.record(businessDate, z.int()),
  }),
  files: z.array(exportFile),
  totals,
  /** The manifest before this one and the SHA-256 of its bytes: none can be changed or left out unnoticed. */
  previous: z.nullable(z.object({ date: businessDate, sha256: z.string() })),
};

/** Files that are written, and do not count before their manifest is. */
export const exportDraft = z.object(content);
export type ExportDraft = z.infer<typeof exportDraft>;

/** Written last: an export exists when it has one. */
export const exportManifest = z.object({
  ...content,
  balanced: z.literal(true),
});
export type ExportManifest = z.infer<typeof exportManifest>;

/* What is handed from one state of the reconciliation to the next */

export const settlementRequest = z.strictObject({ time: z.iso.datetime({ offset: true }) });

export const settlementPlan = z.object({
  /** The provider's day, in UTC. */
  date: z.iso.date(),
  /** `waiting`: the provider has no file yet. `reconciled`: every day is. */
  state: z.enum(['ready', 'waiting', 'reconciled']),
});
export type SettlementPlan = z.infer<typeof settlementPlan>;

/** Differences by type that are open, and how many the day resolved. */
export interface Reconciliation {
  readonly date: string;
  readonly open: Readonly<Record<string, number>>;
  readonly resolved: number;
  readonly oldestDays: number;
}

/* Routes */

const exportSummary = z.object({
  date: businessDate,
  timeZone: z.string(),
  entries: z.int(),
  totals,
  balanced: z.boolean(),
});

export const listExports = route({
  id: 'listExports',
  method: 'GET',
  path: '/v1/finance/exports',
  audience: 'finance',
  machineScope: 'finance.read',
  priority: 'operate',
  summary: 'The daily exports that are complete, by business date',
  query: z.object({ from: z.optional(businessDate), to: z.optional(businessDate), ...page }),
  responses: { 200: listOf(exportSummary) },
  problems: ['invalid-cursor'],
});

export const getExport = route({
  id: 'getExport',
  method: 'GET',
  path: '/v1/finance/exports/{date}',
  audience: 'finance',
  machineScope: 'finance.read',
  priority: 'operate',
  summary: 'The manifest of a daily export, with a time-limited link to each file',
  params: z.object({ date: businessDate }),
  responses: {
    200: z.object({
      manifest: exportManifest,
      links: z.array(z.object({ name: z.string(), url: z.url(), expiresAt: instant })),
    }),
  },
  problems: ['not-found'],
});
