import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { documents } from '../../kernel/table.ts';
import { addEntry } from '../adapters/journal-table.ts';
import { postEntry } from '../app/post-entry.ts';
import { postedEvents } from '../domain/posted-events.ts';

const env = environment('FINANCE_TABLE', 'BUSINESS_TIME_ZONE');
const ports = { timeZone: env.BUSINESS_TIME_ZONE, add: addEntry(documents, env.FINANCE_TABLE) };

export const handler = eventConsumer(postedEvents, postEntry(ports));
