import { systemNow, systemSleep } from '../../kernel/clock.ts';
import { documents } from '../../kernel/table.ts';
import type { ChangePorts } from '../app/change-order.ts';
import { dynamoEventStore } from './event-store.ts';

/** What changing an order needs of the world; `inventory` and `admission` for those that release stock. */
export function changePorts(tables: {
  readonly order: string;
  readonly inventory?: string;
  readonly admission?: string;
}): ChangePorts {
  return {
    store: dynamoEventStore(documents, tables),
    now: systemNow,
    sleep: systemSleep,
    random: Math.random,
  };
}
