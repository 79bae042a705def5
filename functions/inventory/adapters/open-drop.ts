import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { readEntries } from '../../admission/published.ts';
import type { Now } from '../../kernel/clock.ts';

/** The drop that a SKU is being sold in at the moment; undefined when there is none, or it has not opened. */
export function openDrop(documents: DynamoDBDocumentClient, admissionTable: string, now: Now) {
  return async (sku: string): Promise<string | undefined> => {
    const drops = (await readEntries(documents, admissionTable, [sku])).get(sku) ?? [];
    return drops.find(({ opensAt, closesAt }) => opensAt <= now() && now() < closesAt)?.dropId;
  };
}
