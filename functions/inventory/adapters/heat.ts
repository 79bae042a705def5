import { type DynamoDBDocumentClient, paginateQuery, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { batchGet } from '../../kernel/batch.ts';
import type { Heat } from '../domain/heat.ts';
import { heatKey, heatPartition } from '../keys.ts';

/**
 * Adds conflicts that buyers of a SKU have had (needs `dynamodb:UpdateItem`). It cannot fail: a report that is lost is
 * followed by others while the SKU is hot.
 */
export async function reportHeat(
  documents: DynamoDBDocumentClient,
  table: string,
  { sku, conflicts }: { readonly sku: string; readonly conflicts: number },
): Promise<void> {
  const report = new UpdateCommand({
    TableName: table,
    Key: heatKey(sku),
    UpdateExpression: 'SET conflicts = if_not_exists(conflicts, :zero) + :conflicts, sku = :sku',
    ExpressionAttributeValues: { ':zero': 0, ':conflicts': conflicts, ':sku': sku },
  });
  await documents.send(report).catch(() => {});
}

/** The heat of every SKU that has had some, for the function that grows shards. */
export function heatList(documents: DynamoDBDocumentClient, table: string) {
  return {
    /** Needs `dynamodb:Query`. */
    heats: async (): Promise<readonly Heat[]> => {
      const pages = paginateQuery(
        { client: documents },
        {
          TableName: table,
          KeyConditionExpression: 'pk = :heat',
          ExpressionAttributeValues: { ':heat': heatPartition },
        },
      );
      const heats: Heat[] = [];
      for await (const { Items = [] } of pages) heats.push(...Items.map(heatOf));
      return heats;
    },

    /** Needs `dynamodb:UpdateItem`. Conflicts reported meanwhile are kept. */
    judged: async ({ sku, judged, judgedAt, streak }: Heat): Promise<void> => {
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: heatKey(sku),
          UpdateExpression: 'SET judged = :judged, judgedAt = :judgedAt, streak = :streak',
          ExpressionAttributeValues: { ':judged': judged, ':judgedAt': judgedAt, ':streak': streak },
        }),
      );
    },
  };
}

/** The heat of one SKU; undefined when nobody was ever in anybody's way. */
export async function readHeat(
  documents: DynamoDBDocumentClient,
  table: string,
  sku: string,
): Promise<Heat | undefined> {
  const [item] = await batchGet(documents, table, [heatKey(sku)]);
  return item && heatOf(item);
}

function heatOf({ sku, conflicts = 0, judged = 0, judgedAt = 0, streak = 0 }: Record<string, any>): Heat {
  return { sku, conflicts, judged, judgedAt, streak };
}
