import type { Now, Sleep } from '../../kernel/clock.ts';
import { log, measure } from '../../kernel/log.ts';
import { overloadMetrics } from '../../kernel/metrics.ts';
import { askedLevel, nextLevel, type Readings } from '../domain/level.ts';

export interface Ports {
  readonly now: Now;
  readonly sleep: Sleep;
  readonly readings: () => Promise<Readings>;
  /** What was measured last; undefined before the first time. Times are milliseconds since the epoch. */
  readonly level: () => Promise<{ readonly level: number; readonly at: number } | undefined>;
  readonly setLevel: (measured: { readonly level: number; readonly at: number }) => Promise<void>;
}

/** Seconds between two looks while something presses. */
const lookEvery = 10;
/** Seconds after its start in which a run still looks; the next run comes after 60. */
const lookFor = 50;

/**
 * Measures how hard the store is pressed, once a minute, and every ten seconds while something presses.
 * 1. What CloudWatch knows of queues, tables, functions and the outbox asks for a level.
 * 2. The level goes up at once and down step by step.
 * 3. It is stored where every environment reads it, and reported.
 */
export const measurePressure = (ports: Ports) => async (): Promise<{ level: number }> => {
  const started = ports.now();
  for (;;) {
    const level = await look(ports);
    const rest = started + lookFor * 1_000 - ports.now();
    if (level === 0 || rest < lookEvery * 1_000) return { level };
    await ports.sleep(lookEvery * 1_000);
  }
};

async function look(ports: Ports): Promise<number> {
  const [readings, before] = await Promise.all([ports.readings(), ports.level()]);
  const at = ports.now();
  const asked = askedLevel(readings);
  const level = nextLevel(before?.level ?? 0, asked, (at - (before?.at ?? at)) / 1_000);
  // Nothing is as good as the last nothing; environments forget what is old.
  if (level > 0 || (before?.level ?? 0) > 0) await ports.setLevel({ level, at });
  if (level > 0) log.info('pressed', { level, asked, ...readings });
  measure({ [overloadMetrics.shedLevel]: [level] }, {}, at);
  return level;
}
