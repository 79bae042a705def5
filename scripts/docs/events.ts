import { storedEvent } from '../../functions/kernel/events.ts';
import type { ContextContract } from './contracts.ts';
import { type JsonSchema, SchemaBook } from './schemas.ts';

/** Every event that leaves a context, with its body's schema, and the envelope that all of them share. */
export function eventsOf(contracts: readonly ContextContract[]): JsonSchema {
  const named = new Map(contracts.flatMap(({ schemas }) => [...schemas]));
  const book = new SchemaBook(named, '#/schemas/');
  const events = contracts
    .flatMap((contract) => contract.events)
    .map(({ source, type, version, summary, body }) => ({
      source,
      type,
      version,
      summary,
      body: book.of(body, 'output'),
    }))
    .sort((a, b) => (`${a.source} ${a.type}` < `${b.source} ${b.type}` ? -1 : 1));
  return {
    envelope: {
      description:
        '`source` and `detail-type` as below; `detail` holds these members, `body` as JSON text. Deliveries repeat and overtake each other: deduplicate on `id`.',
      detail: book.of(storedEvent, 'output'),
    },
    events,
    schemas: Object.fromEntries([...book.components].sort(([a], [b]) => (a < b ? -1 : 1))),
  };
}
