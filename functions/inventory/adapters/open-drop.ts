import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { dropsOf } from '../../admission/published.ts';
import type { Now } from '../../kernel/clock.ts';

/** The drop that a SKU is being sold in at the moment; undefined when there is none, or it has not opened. */
export function openDrop(documents: DynamoDBDocumentClient, admissionTable: string, now: Now) {
  return async (sku: string): Promise<string | undefined> => {
    const drops = await dropsOf(documents, admissionTable, [sku], now());
    return drops.find(({ opensAt }) => opensAt <= now())?.dropId;
  };
}
