import type { Drop } from './drop.ts';
import type { Pace } from './pace.ts';
import type { Queue, Serving } from './serving.ts';

/** A drop and how it stands. */
export interface Standing {
  readonly drop: Drop;
  readonly serving: Serving & { readonly pace: Pace };
  readonly queue: Queue;
}
