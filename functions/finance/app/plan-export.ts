import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { count, log } from '../../kernel/log.ts';
import { auditMetrics } from '../../kernel/metrics.ts';
import { type ExportManifest, type ExportPlan, exportRequest } from '../contract.ts';
import { addDays, dateBefore, endOf } from '../domain/business-date.ts';
import { manifestKey } from '../domain/export-keys.ts';

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  /** The latest business date that has been exported. */
  readonly lastExported: () => Promise<string | undefined>;
  readonly manifestAt: (key: string) => Promise<ExportManifest | undefined>;
  /** Up to when every event has been taken into the journal (RFC 3339); undefined before the first audit. */
  readonly journalledUpTo: () => Promise<string | undefined>;
}

/**
 * First state of the export: which business date it is of, and whether its time has come.
 * 1. A date that is asked for and exported already is run again: it must give the same bytes.
 * 2. Otherwise it is the next date after the last export, up to the one that is over at the scheduled time: dates
 *    are exported one after the other, as each manifest names the one before.
 * 3. It waits until the auditor has found every event of it in the journal; the schedule asks again each hour.
 *
 * @throws DomainError `validation-failed` when the input is neither a date nor a time, or names a date that cannot
 *   be exported any more because a later one has been
 */
export const planExport =
  (ports: Ports) =>
  async (input: unknown): Promise<ExportPlan> => {
    const request = z.safeParse(exportRequest, input);
    if (!request.success) {
      throw new DomainError(
        'validation-failed',
        'Start the export with {"date": "YYYY-MM-DD"} or {"time": "…Z"}.',
      );
    }
    const { timeZone } = ports;
    const last = await ports.lastExported();
    const wanted = 'date' in request.data ? request.data.date : dateBefore(request.data.time, timeZone);
    if (last !== undefined && wanted <= last) {
      if (await ports.manifestAt(manifestKey(wanted))) return { date: wanted, timeZone, state: 'exported' };
      throw new DomainError(
        'validation-failed',
        `${last} has been exported; what is missing of ${wanted} comes with the next export.`,
      );
    }
    const date = last === undefined ? wanted : addDays(last, 1);
    const journalledUpTo = await ports.journalledUpTo();
    const complete = journalledUpTo !== undefined && Date.parse(journalledUpTo) >= endOf(date, timeZone);
    if (!complete) {
      log.warn('export waits for the auditor', { date, journalledUpTo });
      count(auditMetrics.exportWaiting);
    }
    return {
      date,
      timeZone,
      state: complete ? 'ready' : 'waiting',
      ...(journalledUpTo !== undefined && { journalledUpTo }),
    };
  };
