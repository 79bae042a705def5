import type { StoredEvent } from '../../functions/kernel/events.ts';
import { type Actors, isFor } from './actors.ts';
import type { World } from './world.ts';

/** A message that failed comes back after this many milliseconds: longer than any lease in the product. */
const comesBackAfter = 90_000;
/** Receives before a message goes to the dead-letter queue. */
const receivesAtMost = 6;
const minute = 60_000;

/** The bus with its rules and queues: every event reaches every consumer at least once. */
export class Deliveries {
  readonly #world: World;
  readonly #actors: Actors;
  /** What no consumer could do with; an alarm, and somebody's work. */
  readonly deadLetters: string[] = [];
  /** By event and consumer. */
  readonly #receives = new Map<string, number>();
  readonly #done = new Set<string>();

  constructor(world: World, actors: Actors) {
    this.#world = world;
    this.#actors = actors;
  }

  /** A text that is the same for the same deliveries. */
  told(): string {
    return JSON.stringify([[...this.#receives], [...this.#done], this.deadLetters]);
  }

  /** Begins one delivery of the event to the consumer, as an actor of its own. */
  begin(event: StoredEvent, consumer: string): void {
    const key = `${consumer} ${event.id}`;
    const receives = (this.#receives.get(key) ?? 0) + 1;
    this.#receives.set(key, receives);
    const actor = receives === 1 ? key : `${key} again${receives - 1}`;
    this.#consume(actor, event, consumer, receives);
  }

  #consume(actor: string, event: StoredEvent, consumer: string, receives: number): void {
    const key = `${consumer} ${event.id}`;
    this.#world.spawn(actor, async () => {
      await this.#actors.consumers[consumer]!.consume(actor, event, receives);
      this.#done.add(key);
    });
  }

  /** Delivers, one after another, whatever a consumer has not yet done with; failed ones come back. */
  async all(): Promise<void> {
    for (let index = 0; index < this.#world.outbox.length; index++) {
      const event = this.#world.outbox[index]!;
      for (const [name, consumer] of Object.entries(this.#actors.consumers)) {
        if (isFor(consumer.spec, event)) await this.#untilDone(event, name);
      }
    }
  }

  /** Delivers every event to every consumer once more, the last one first. */
  async everythingAgain(): Promise<void> {
    for (const event of [...this.#world.outbox].reverse()) {
      for (const [name, consumer] of Object.entries(this.#actors.consumers)) {
        if (!isFor(consumer.spec, event)) continue;
        this.#consume(`duplicate for ${name} ${event.id}`, event, name, 2);
        await this.#world.idle();
      }
    }
  }

  async #untilDone(event: StoredEvent, consumer: string): Promise<void> {
    const key = `${consumer} ${event.id}`;
    while (!this.#done.has(key)) {
      if ((this.#receives.get(key) ?? 0) >= receivesAtMost) {
        this.deadLetters.push(key);
        this.#done.add(key);
        return;
      }
      this.begin(event, consumer);
      await this.#world.idle();
      if (!this.#done.has(key)) this.#world.now += comesBackAfter;
    }
  }
}

/**
 * What the world does by itself when nobody touches it any more: messages come back, reservations end, the schedules
 * go round; afterwards every message comes once more.
 */
export async function untilQuiet(world: World, actors: Actors, deliveries: Deliveries): Promise<void> {
  await world.idle();
  await deliveries.all();
  for (let round = 1; round <= 3; round++) {
    world.now += 20 * minute;
    world.spawn(`sweep of the end ${round}`, () => actors.sweep(`sweep of the end ${round}`));
    await world.idle();
    await deliveries.all();
  }
  world.wrongs.push(...deliveries.deadLetters.map((key) => `${key} ended in the dead-letter queue`));
  const before = world.tables.contents();
  const letters = world.letters.length;
  await deliveries.everythingAgain();
  if (world.tables.contents() !== before) world.wrongs.push('delivering everything again changed a table');
  if (world.letters.length !== letters) world.wrongs.push('delivering everything again sent an e-mail');
}
