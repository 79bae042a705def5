import { environment } from '../../kernel/env.ts';
import { eventConsumer } from '../../kernel/events.ts';
import { documents } from '../../kernel/table.ts';
import { addFacts } from '../adapters/row-table.ts';
import { followOrder } from '../app/follow-order.ts';
import { followedEvents } from '../contract.ts';

const env = environment('REPORTING_TABLE');
const ports = { addFacts: addFacts(documents, env.REPORTING_TABLE) };

export const handler = eventConsumer(followedEvents, followOrder(ports));
