import type { StoredEvent } from '../../functions/kernel/events.ts';
import { type Actors, isFor } from './actors.ts';
import type { Chance } from './chance.ts';
import type { Plan } from './plan.ts';
import type { Scheduler } from './scheduler.ts';

/** Receives before a message goes to the dead-letter queue. */
const receivesAtMost = 6;
const minute = 60_000;

/**
 * Pipe, bus, rules and queues: an event comes to each of its consumers at least once, in any order, sometimes late; and
 * where somebody looks after what was lost, not at all.
 */
export class Bus {
  readonly #scheduler: Scheduler;
  readonly #actors: Actors;
  readonly #chance: Chance;
  readonly #plan: Plan;
  readonly #sent = new Map<string, number>();
  /** Deliveries under way, for those who wait for all of them. */
  underWay = 0;
  readonly #deadLetters: (() => void)[] = [];
  /** By consumer, the events that it has done with; how often is nobody's business. */
  readonly done = new Map<string, Set<string>>();
  /** Events that never came to the bus from the pipe. */
  readonly lost = new Set<string>();

  constructor(scheduler: Scheduler, actors: Actors, chance: Chance, plan: Plan) {
    this.#scheduler = scheduler;
    this.#actors = actors;
    this.#chance = chance;
    this.#plan = plan;
  }

  /** What the pipe does with a record of the stream. */
  pipe(event: StoredEvent): void {
    const lost = !this.#scheduler.calm && this.#chance.happens(`${event.id} is lost`, this.#plan.bus.lost);
    if (lost) this.lost.add(event.id);
    else this.put(event);
  }

  /** An entry of PutEvents. */
  put(event: StoredEvent): void {
    const times = (this.#sent.get(event.id) ?? 0) + 1;
    this.#sent.set(event.id, times);
    for (const [consumer, { spec }] of Object.entries(this.#actors.everyConsumer)) {
      if (!isFor(spec, event)) continue;
      this.#send(event, consumer, `${times}`);
      const again = `${event.id} to ${consumer} again ${times}`;
      if (this.#chance.happens(again, this.#plan.bus.twice)) this.#send(event, consumer, `${times} again`);
    }
  }

  /** An operator has the messages of all dead-letter queues sent again. */
  redrive(): void {
    for (const send of this.#deadLetters.splice(0)) send();
  }

  #send(event: StoredEvent, consumer: string, which: string): void {
    const message = `${consumer} ${event.id} ${which}`;
    this.underWay++;
    this.#scheduler.after(this.#delay(message), () => void this.#deliver(event, consumer, message));
  }

  async #deliver(event: StoredEvent, consumer: string, message: string): Promise<void> {
    const { spec, consume } = this.#actors.everyConsumer[consumer]!;
    const limit = (spec.timeoutSeconds ?? 30) * 1_000;
    for (let receives = 1; receives <= receivesAtMost; receives++) {
      const actor = `${message} (${receives})`;
      const invoked = await this.#scheduler.invoke(actor, limit, () => consume(actor, event, receives));
      if ('value' in invoked) {
        const done = this.done.get(consumer) ?? new Set<string>();
        this.done.set(consumer, done.add(event.id));
        this.underWay--;
        return;
      }
      // Told to come back, or when the queue's visibility timeout is over.
      const pause = 'gone' in invoked ? 6 * limit : Math.min(15 * minute, 30_000 * 2 ** (receives - 1));
      await this.#scheduler.sleep(pause);
    }
    this.underWay--;
    this.#deadLetters.push(() => this.#send(event, consumer, `${message} redriven`));
  }

  /** Milliseconds: some ten, or minutes. */
  #delay(message: string): number {
    const share = this.#chance.of(`${message} travels`);
    const slow = !this.#scheduler.calm && this.#chance.happens(`${message} is slow`, this.#plan.bus.slow);
    return slow ? share * 10 * minute : 5 + share * 200;
  }
}
