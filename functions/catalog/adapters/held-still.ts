import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { heldStill } from '../../admission/published.ts';
import type { Now } from '../../kernel/clock.ts';

/** Those of SKUs that stand still for a drop, with the drop. */
export function readHeldStill(documents: DynamoDBDocumentClient, admissionTable: string, now: Now) {
  return (skus: readonly string[]) => heldStill(documents, admissionTable, skus, now());
}
