import { systemNow } from '../../kernel/clock.ts';
import { environment } from '../../kernel/env.ts';
import { documents } from '../../kernel/table.ts';
import { auditPorts } from '../adapters/audit-ports.ts';
import { auditEvents } from '../app/audit-events.ts';

const env = environment(
  'ORDER_TABLE',
  'FINANCE_TABLE',
  'NOTIFICATION_TABLE',
  'REPORTING_TABLE',
  'BUSINESS_TIME_ZONE',
  'EVENT_BUS_NAME',
);

export const handler = auditEvents(auditPorts(documents, env, systemNow));
