import { LoadClock } from './clock.ts';
import { Histogram } from './histogram.ts';
import type { HttpAnswer } from './http-client.ts';

/** How a request ended, as far as it matters to the whole. */
export type Outcome = 'accepted' | 'refused' | 'shed' | 'failed';

/** One second of the run. */
export interface Second {
  readonly started: number;
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Orders that were accepted. */
  readonly goodput: number;
  readonly latency: Histogram;
}

interface Step {
  readonly latency: Histogram;
  readonly accepted: Histogram;
  readonly counts: Record<Outcome, number>;
}

/**
 * Counts what every request was answered, and how long after it was due. Latency starts when the request should have been
 * sent: if the store, or this process, holds up those before, that is part of it.
 */
export class Recorder {
  readonly steps = new Map<string, Step>();
  /** Refusals and failures by step and reason. */
  readonly reasons = new Map<string, number>();
  /** Requests to which nothing came back, for whatever reason. */
  unanswered = 0;
  readonly #seconds: {
    started: number;
    counts: Record<Outcome, number>;
    goodput: number;
    latency: Histogram;
  }[] = [];
  readonly #clock: LoadClock;
  readonly #begin: number;
  /** How late requests were sent, against when they were due: this process's own part. */
  readonly lateness = new Histogram();

  /** @param begin of the run */
  constructor(clock = new LoadClock(), begin: number = clock.now()) {
    this.#clock = clock;
    this.#begin = begin;
  }

  get seconds(): readonly Second[] {
    return Array.from(this.#seconds, (second) => second ?? emptySecond());
  }

  /** A request is sent. */
  started(intended: number): void {
    this.#second(intended).started++;
    this.lateness.add(Math.max(0, this.#clock.now() - intended));
  }

  /** @param good the request was what the whole is about: an order */
  answered(step: string, answer: HttpAnswer, intended: number, good = false): void {
    const now = this.#clock.now();
    const outcome = outcomeOf(answer);
    if (answer.status === 0) this.unanswered++;
    const milliseconds = now - intended;
    const entry = this.#step(step);
    entry.counts[outcome]++;
    entry.latency.add(milliseconds);
    if (outcome === 'accepted') entry.accepted.add(milliseconds);
    else this.#reason(step, reasonOf(answer));
    const second = this.#second(now);
    second.counts[outcome]++;
    second.latency.add(milliseconds);
    if (good && outcome === 'accepted') second.goodput++;
  }

  /** Something that a shopper ran into besides a refusal. */
  note(step: string, reason: string): void {
    this.#reason(step, reason);
  }

  total(outcome: Outcome): number {
    return [...this.steps.values()].reduce((sum, { counts }) => sum + counts[outcome], 0);
  }

  #reason(step: string, reason: string): void {
    const key = `${step} · ${reason}`;
    this.reasons.set(key, (this.reasons.get(key) ?? 0) + 1);
  }

  #step(name: string): Step {
    let step = this.steps.get(name);
    if (!step) {
      step = { latency: new Histogram(), accepted: new Histogram(), counts: noCounts() };
      this.steps.set(name, step);
    }
    return step;
  }

  #second(moment: number) {
    const index = Math.max(0, Math.floor((moment - this.#begin) / 1_000));
    this.#seconds[index] ??= emptySecond();
    return this.#seconds[index]!;
  }
}

function noCounts(): Record<Outcome, number> {
  return { accepted: 0, refused: 0, shed: 0, failed: 0 };
}

function emptySecond() {
  return { started: 0, counts: noCounts(), goodput: 0, latency: new Histogram() };
}

/**
 * 429 and the store's own 503 say "not now"; any other 5xx, and no answer, is a fault of the store. A 503 of the gateway is
 * one: a function had no room or no time, and nobody knows what became of the request.
 */
export function outcomeOf({ status, body }: HttpAnswer): Outcome {
  if (status === 429 || (status === 503 && /\/problems\/temporary-reduced-capacity"/.test(body)))
    return 'shed';
  if (status === 0 || status >= 500) return 'failed';
  return status < 400 ? 'accepted' : 'refused';
}

/** The problem's code; for what the gateway answers by itself, its status. */
export function reasonOf({ status, body, failure }: HttpAnswer): string {
  if (failure) return failure;
  const code = /"type":"[^"]*\/problems\/([a-z-]+)"/.exec(body)?.[1];
  return `${status} ${code ?? 'from the gateway'}`;
}
