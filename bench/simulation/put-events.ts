import type { PutEventsCommand, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import * as z from 'zod/mini';
import { type StoredEvent, storedEvent } from '../../functions/kernel/events.ts';
import type { World } from './world.ts';

/** The bus as a client of an actor reaches it; it may take some entries of a call and refuse others. */
export function putEvents(world: World, actor: string, put: (event: StoredEvent) => void) {
  const take = (entries: readonly PutEventsRequestEntry[], most: number) => ({
    Entries: entries.map(({ Detail }, index) => {
      if (index >= most) return { ErrorCode: 'ThrottlingException' };
      const event = z.parse(storedEvent, JSON.parse(Detail!));
      put(event);
      return { EventId: event.id };
    }),
  });
  return {
    send: ({ input: { Entries = [] } }: PutEventsCommand) =>
      world.gate.call({
        actor,
        what: `PutEvents ${Entries.length}`,
        touches: [{ place: 'bus', write: true }],
        transaction: false,
        run: () => take(Entries, Entries.length),
        partly: () => take(Entries, Math.floor(Entries.length / 2)),
      }),
  };
}
