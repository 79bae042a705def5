import type { Clock } from './types.ts';

interface Alarm {
  readonly at: number;
  readonly run: () => void;
}

/** Node fires a longer timer at once, so long waits are taken in steps of this many milliseconds. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * A clock that runs `offset` milliseconds ahead of real time, and as fast. `moved` is told every new offset, so that it
 * can be kept over a restart; `stop` forgets every alarm.
 */
export function createClock(
  initialOffset = 0,
  moved: (offset: number) => void = () => {},
): Clock & { stop(): void } {
  /** It reads `base + real time × pace`. */
  let base = initialOffset;
  let pace = 1;
  let timer: NodeJS.Timeout | undefined;
  const alarms = new Set<Alarm>();
  const listeners = new Set<(offset: number) => void | Promise<void>>();
  const reading = (real: number): number => Math.floor(base + real * pace);
  const now = (): number => reading(Date.now());
  const offset = (real = Date.now()): number => reading(real) - real;

  function ring(): void {
    const due = [...alarms].filter((alarm) => alarm.at <= now()).sort((a, b) => a.at - b.at);
    for (const alarm of due) {
      // An earlier alarm may have cancelled this one.
      if (alarms.delete(alarm)) alarm.run();
    }
    wind();
  }

  function wind(): void {
    clearTimeout(timer);
    timer = undefined;
    if (alarms.size === 0) return;
    const next = Math.min(...[...alarms].map((alarm) => alarm.at));
    timer = setTimeout(ring, Math.min(Math.max((next - now()) / pace, 0), LONGEST_TIMER));
    timer.unref();
  }

  async function tell(): Promise<void> {
    for (const listener of [...listeners]) await listener(offset());
  }

  return {
    now,
    get offset() {
      return offset();
    },
    get pace() {
      return pace;
    },
    get base() {
      return base;
    },
    async advance(milliseconds) {
      if (!(milliseconds >= 0)) throw new RangeError('the clock only moves forward');
      base += milliseconds;
      moved(offset());
      ring();
      await tell();
    },
    async run(newPace) {
      if (!(newPace > 0)) throw new RangeError('the clock never stands still');
      const real = Date.now();
      base += real * (pace - newPace);
      pace = newPace;
      moved(offset(real));
      wind();
      await tell();
    },
    onAdvance(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    at(at, run) {
      const alarm = { at, run };
      alarms.add(alarm);
      wind();
      return () => alarms.delete(alarm);
    },
    stop() {
      alarms.clear();
      listeners.clear();
      clearTimeout(timer);
    },
  };
}
