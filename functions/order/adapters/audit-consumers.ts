import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { missingEntries } from '../../finance/published.ts';
import { missingMails } from '../../notification/published.ts';
import { missingRows } from '../../reporting/published.ts';
import type { Ports } from '../app/audit-events.ts';

/** What the consumers that owe something to an event have not taken in. Whoever is added to them is asked here. */
export function auditConsumers(
  documents: DynamoDBDocumentClient,
  tables: { readonly finance: string; readonly notification: string; readonly reporting: string },
  timeZone: string,
): Ports['missing'] {
  return async (events) => {
    const [entries, mails, rows] = await Promise.all([
      missingEntries(documents, tables.finance, timeZone, events),
      missingMails(documents, tables.notification, events),
      missingRows(documents, tables.reporting, events),
    ]);
    const missing = new Set([...entries, ...mails, ...rows]);
    return { any: events.filter((event) => missing.has(event)), unjournalled: entries };
  };
}
