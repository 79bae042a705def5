import * as z from 'zod/mini';
import { DomainError } from '../../kernel/errors.ts';
import { type ExportPlan, exportRequest } from '../contract.ts';
import { dateBefore } from '../domain/business-date.ts';

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
}

/**
 * First state of the export: which business date it is of.
 * 1. A given date is taken, whether it is over or not: the export can be run again.
 * 2. Otherwise it is the last date that is over at the scheduled time.
 *
 * @throws DomainError `validation-failed` when the input is neither
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
    const date = 'date' in request.data ? request.data.date : dateBefore(request.data.time, timeZone);
    return { date, timeZone };
  };
