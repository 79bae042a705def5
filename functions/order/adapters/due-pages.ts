import { type DynamoDBDocumentClient, paginateQuery } from '@aws-sdk/lib-dynamodb';
import { byDue, duePartition, orderIdOf } from '../keys.ts';

/** So many at most, so that who looks at them one by one can say after each page how far that was. */
const pageSize = 200;

/** The orders of a bucket that come due between two instants (RFC 3339), page by page; each with the moment it is due. */
export async function* duePages(
  documents: DynamoDBDocumentClient,
  table: string,
  { bucket, from, to }: { readonly bucket: number; readonly from: string; readonly to: string },
): AsyncIterable<readonly { readonly orderId: string; readonly dueAt: string }[]> {
  const pages = paginateQuery(
    { client: documents, pageSize },
    {
      TableName: table,
      IndexName: byDue,
      KeyConditionExpression: 'dueKey = :bucket AND dueAt BETWEEN :from AND :to',
      // `~` sorts after every id that follows the instant.
      ExpressionAttributeValues: { ':bucket': duePartition(bucket), ':from': from, ':to': `${to}~` },
    },
  );
  for await (const { Items = [] } of pages)
    yield Items.map(({ pk, dueAt }) => ({ orderId: orderIdOf(pk), dueAt }));
}
