import { count, log } from '../../kernel/log.ts';
import { objectiveMetrics } from '../../kernel/metrics.ts';
import { dateBefore } from '../domain/business-date.ts';
import { manifestKey } from '../domain/export-keys.ts';

export interface Ports {
  /** IANA time zone whose midnight ends a business date. */
  readonly timeZone: string;
  /** An object's content; undefined when there is none. */
  readonly read: (key: string) => Promise<Uint8Array | undefined>;
}

/**
 * When the export is due: whether the business date that has just ended has a manifest. Its answer is a metric, told
 * once a day and in either case: an export that never began says nothing itself.
 */
export const checkExport =
  (ports: Ports) =>
  async ({ time }: { time: string }): Promise<{ date: string; missed: boolean }> => {
    const date = dateBefore(time, ports.timeZone);
    const missed = (await ports.read(manifestKey(date))) === undefined;
    count(objectiveMetrics.exportMissed, missed ? 1 : 0);
    if (missed) log.error('export missed', { date });
    return { date, missed };
  };
