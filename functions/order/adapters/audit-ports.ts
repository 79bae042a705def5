import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { Now } from '../../kernel/clock.ts';
import type { Ports } from '../app/audit-events.ts';
import { auditBus } from './audit-bus.ts';
import { auditConsumers } from './audit-consumers.ts';
import { dynamoAuditList } from './audit-list.ts';
import { loadEvents } from './event-store.ts';
import { driftMark } from './stock-books.ts';

interface Environment {
  readonly ORDER_TABLE: string;
  readonly FINANCE_TABLE: string;
  readonly NOTIFICATION_TABLE: string;
  readonly REPORTING_TABLE: string;
  readonly BUSINESS_TIME_ZONE: string;
  readonly EVENT_BUS_NAME: string;
}

export function auditPorts(documents: DynamoDBDocumentClient, env: Environment, now: Now): Ports {
  const consumers = {
    finance: env.FINANCE_TABLE,
    notification: env.NOTIFICATION_TABLE,
    reporting: env.REPORTING_TABLE,
  };
  return {
    now,
    ...dynamoAuditList(documents, env.ORDER_TABLE),
    drifting: driftMark(documents, env.ORDER_TABLE).drifting,
    load: (orderId) => loadEvents(documents, env.ORDER_TABLE, orderId),
    missing: auditConsumers(documents, consumers, env.BUSINESS_TIME_ZONE),
    send: auditBus(env.EVENT_BUS_NAME),
  };
}
