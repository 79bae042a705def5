import * as z from 'zod/mini';
import { amount, currency, instant, listOf, page, route } from '../kernel/contract.ts';

/* What is handed from one state of the export to the next */

const businessDate = z.iso.date();

/** Either the moment at which the schedule meant to run, or the business date to export (again). */
export const exportRequest = z.union([
  z.strictObject({ date: businessDate }),
  z.strictObject({ time: z.iso.datetime({ offset: true }) }),
]);

export const exportPlan = z.object({ date: businessDate, timeZone: z.string() });
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
  /** Whose midnight began and ended the business date (IANA). */
  timeZone: z.string(),
  date: businessDate,
  generatedFrom: z.object({
    /** Journal entries. */
    entries: z.int(),
    firstOccurredAt: z.optional(instant),
    lastOccurredAt: z.optional(instant),
  }),
  files: z.array(exportFile),
  totals,
};

/** Files that are written, and do not count before their manifest is. */
export const exportDraft = z.object(content);
export type ExportDraft = z.infer<typeof exportDraft>;

/** Written last: an export exists when it has one. */
export const exportManifest = z.object({
  schemaVersion: z.literal(1),
  ...content,
  balanced: z.literal(true),
});
export type ExportManifest = z.infer<typeof exportManifest>;

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
