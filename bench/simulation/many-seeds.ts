import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What a worker is to do: seeds `from`, `from + step`, … below `to`; with a bug it stops at the first that goes wrong. */
export interface Work {
  readonly from: number;
  readonly to: number;
  readonly step: number;
  /** The name of a mistake to build in. */
  readonly bug?: string;
}

/** What a worker tells of a seed. */
export interface Judged {
  readonly seed: number;
  readonly hash: string;
  readonly steps: number;
  readonly orders: number;
  readonly mishaps: number;
  readonly wrong: readonly string[];
  /** A failing seed's shortest reproduction, as text. */
  readonly reproduction?: string;
}

/** Each worker has a process-wide clock and chance of its own, so seeds run side by side without meeting. */
export async function judgeSeeds(
  range: { readonly from: number; readonly to: number; readonly bug?: string },
  told: (judged: Judged) => void,
  workers = Math.min(2, availableParallelism()),
): Promise<void> {
  await Promise.all(
    Array.from({ length: workers }, (_, index) =>
      judgeIn({ ...range, from: range.from + index, step: workers }, told),
    ),
  );
}

function judgeIn(work: Work, told: (judged: Judged) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('./seed-worker.ts', import.meta.url), {
      workerData: work,
      // Little is alive at once; left to itself the heap grows to gigabytes before it is looked through.
      resourceLimits: { maxOldGenerationSizeMb: 400 },
    });
    worker.on('message', told);
    worker.once('error', reject);
    worker.once('exit', () => resolve());
  });
}
