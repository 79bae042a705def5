import { parseArgs } from 'node:util';
import { GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { isoInstant } from '../../functions/kernel/clock.ts';
import type { Priority } from '../../functions/kernel/contract.ts';
import { highestLevel, shareRefused } from '../../functions/kernel/pressure.ts';
import { pressureKey } from '../../functions/limits/keys.ts';
import { type Lever, UsageError } from './lever.ts';

/** The level at which all requests of a class, and of those before it, are refused. */
const levels: Readonly<Record<string, number>> = { none: 0, browse: 1, cart: 2, order: 3 };
/** Minutes. What was ordered in the night must not refuse customers in the morning. */
const longest = 24 * 60;

/** The level that an operator orders in place of what is measured. */
export const shedLoad: Lever = {
  summary:
    'refuses a class of requests and those before it (browse, cart, order) for a time, or none of them',
  usage: '<none|browse|cart|order|0–3> [--minutes 30] [--quotas <factor>] | --clear',
  async plan({ documents, table, now }, args) {
    const asked = readArguments(args);
    const TableName = table('limits');
    const at = await now();
    const { Item = {} } = await documents.send(
      new GetCommand({ TableName, Key: pressureKey, ConsistentRead: true }),
    );
    const says = [
      `measured: level ${Item.measuredLevel ?? 0}${Item.measuredAt ? ` at ${isoInstant(Item.measuredAt)}` : ''}`,
      Item.orderedUntil > at
        ? `ordered: level ${Item.orderedLevel} until ${isoInstant(Item.orderedUntil)}`
        : 'ordered: nothing',
      Item.quotasUntil > at
        ? `quotas: times ${Item.quotaFactor} until ${isoInstant(Item.quotasUntil)}`
        : 'quotas: as they are',
    ];
    const update = (UpdateExpression: string, ExpressionAttributeValues?: Record<string, unknown>) =>
      documents.send(
        new UpdateCommand({
          TableName,
          Key: pressureKey,
          UpdateExpression,
          ...(ExpressionAttributeValues && { ExpressionAttributeValues }),
        }),
      );
    const soon = 'Environments know within five seconds.';
    if (asked === 'clear') {
      return {
        says: [...says, 'would take back what was ordered: what is measured counts again'],
        go: async () => {
          await update('REMOVE orderedLevel, orderedUntil, quotaFactor, quotasUntil');
          return [`Nothing is ordered any more. ${soon}`];
        },
      };
    }
    const until = at + asked.minutes * 60_000;
    const wanted = [
      ...(asked.level === undefined ? [] : [`level ${asked.level} (${meaningOf(asked.level)})`]),
      ...(asked.quotas === undefined ? [] : [`quotas times ${asked.quotas}`]),
    ].join(', ');
    return {
      says: [...says, `would order ${wanted} until ${isoInstant(until)}`],
      go: async () => {
        if (asked.level !== undefined) {
          await update('SET orderedLevel = :level, orderedUntil = :until', {
            ':level': asked.level,
            ':until': until,
          });
        }
        if (asked.quotas !== undefined) {
          await update('SET quotaFactor = :factor, quotasUntil = :until', {
            ':factor': asked.quotas,
            ':until': until,
          });
        }
        return [`Ordered: ${wanted} until ${isoInstant(until)}. ${soon}`];
      },
    };
  },
};

function readArguments(
  args: readonly string[],
): 'clear' | { readonly level?: number; readonly quotas?: number; readonly minutes: number } {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { minutes: { type: 'string' }, quotas: { type: 'string' }, clear: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.clear) return 'clear';
  const minutes = Number(values.minutes ?? 30);
  if (!(minutes > 0 && minutes <= longest)) throw new UsageError(`--minutes is 1 to ${longest}`);
  const [name] = positionals;
  const level = name === undefined ? undefined : (levels[name] ?? Number(name));
  const quotas = values.quotas === undefined ? undefined : Number(values.quotas);
  if (level === undefined && quotas === undefined) throw new UsageError('what is to be refused?');
  if (level !== undefined && !(level >= 0 && level <= highestLevel))
    throw new UsageError(`${name} is no level: none, browse, cart, order, or 0 to ${highestLevel}`);
  if (quotas !== undefined && !(quotas > 0)) throw new UsageError('--quotas is a number above 0');
  return { minutes, ...(level !== undefined && { level }), ...(quotas !== undefined && { quotas }) };
}

function meaningOf(level: number): string {
  const classes: Priority[] = ['browse', 'cart', 'order'];
  const refused = classes
    .map((one) => [one, shareRefused(one, level)] as const)
    .filter(([, share]) => share > 0)
    .map(([one, share]) => `${Math.round(share * 100)}% of ${one}`);
  return refused.length > 0 ? `refuses ${refused.join(', ')}` : 'refuses nothing, whatever is measured';
}
