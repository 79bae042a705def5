import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/**
 * Chance by name: the same seed and names give the same number, whatever else was asked before. So a run in which one
 * actor is missing goes on as before for the others, and a failure can be made smaller.
 */
export class Chance {
  readonly seed: number;

  constructor(seed: number) {
    this.seed = seed;
  }

  /** From 0 to below 1. */
  of(name: string): number {
    // FNV-1a, then the last mixing of MurmurHash3.
    let hash = 0x811c9dc5 ^ this.seed;
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
    hash ^= this.seed * 0x9e3779b1;
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
  }

  /** A whole number from `from` to `to`, both included. */
  whole(name: string, from: number, to: number): number {
    return from + Math.floor(this.of(name) * (to - from + 1));
  }

  pick<T>(name: string, values: readonly T[]): T {
    return values[Math.floor(this.of(name) * values.length)]!;
  }

  /** Whether what has this probability happens. */
  happens(name: string, probability: number): boolean {
    return this.of(name) < probability;
  }
}

/** What the process offers to whoever asks it for time and chance. */
interface Source {
  readonly now: () => number;
  readonly after: (milliseconds: number, then: () => void) => void;
  readonly chance: Chance;
}

/**
 * Runs `work` with this process's clock, timers, randomness and ids coming from the source, for those adapters that
 * take them from the process. One run at a time.
 */
export async function withSource<T>(source: Source, work: () => Promise<T>): Promise<T> {
  const { random } = Math;
  const { now } = Date;
  const { setTimeout } = globalThis;
  const { randomUUID, randomBytes } = crypto;
  let drawn = 0;
  const draw = () => source.chance.of(`draw ${++drawn}`);
  const bytes = (length: number) => Buffer.from(Array.from({ length }, () => Math.floor(draw() * 256)));
  Math.random = draw;
  Date.now = source.now;
  globalThis.setTimeout = ((then: (...given: unknown[]) => void, milliseconds = 0, ...given: unknown[]) => {
    source.after(milliseconds, () => then(...given));
    return { ref() {}, unref() {}, hasRef: () => true, [Symbol.toPrimitive]: () => 0 };
  }) as unknown as typeof setTimeout;
  crypto.randomUUID = () => {
    const hex = bytes(16).toString('hex');
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
  };
  crypto.randomBytes = ((size: number) => bytes(size)) as typeof crypto.randomBytes;
  syncBuiltinESMExports();
  try {
    return await work();
  } finally {
    Math.random = random;
    Date.now = now;
    globalThis.setTimeout = setTimeout;
    Object.assign(crypto, { randomUUID, randomBytes });
    syncBuiltinESMExports();
  }
}
