import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Ports } from '../app/measure-pressure.ts';
import { pressureKey } from '../keys.ts';

/** What was measured; what operators have ordered is in other attributes of the same item, and stays as it is. */
export function pressureItem(
  documents: DynamoDBDocumentClient,
  table: string,
): Pick<Ports, 'level' | 'setLevel'> {
  return {
    level: async () => {
      const { Item } = await documents.send(
        new GetCommand({ TableName: table, Key: pressureKey, ConsistentRead: true }),
      );
      return Item?.measuredAt === undefined ? undefined : { level: Item.measuredLevel, at: Item.measuredAt };
    },
    setLevel: async ({ level, at }) => {
      await documents.send(
        new UpdateCommand({
          TableName: table,
          Key: pressureKey,
          UpdateExpression: 'SET measuredLevel = :level, measuredAt = :at',
          ExpressionAttributeValues: { ':level': level, ':at': at },
        }),
      );
    },
  };
}
