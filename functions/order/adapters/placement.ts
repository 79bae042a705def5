import { randomUUID } from 'node:crypto';
import {
  type CancellationReason,
  TransactionCanceledException,
  TransactionInProgressException,
} from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, TransactWriteCommand } from '@aws-sdk/lib-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import type * as z from 'zod/mini';
import { claimItems } from '../../admission/published.ts';
import { closeCartItem } from '../../cart/published.ts';
import { consolidation, drawItem, type Shard, shardOf } from '../../inventory/published.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { RefusedEntry } from '../app/admit.ts';
import type { Committed, Placement } from '../app/place-order.ts';
import type { orderPlaced } from '../contract.ts';
import { indexKeys } from '../keys.ts';
import { appendItem, eventOf } from './event-items.ts';

interface Tables {
  readonly order: string;
  readonly cart: string;
  readonly inventory: string;
  readonly admission: string;
}

/** Times that a transaction whose outcome is unknown is sent again, unchanged. */
const repeats = 3;

/**
 * The place-order transaction: event 1, the draws, the closing of the cart, admissions; all or nothing. Each call has a token of
 * its own, so that a repeat after a lost answer takes effect once (DynamoDB keeps the token for 10 minutes).
 */
export function commitPlacement(documents: DynamoDBDocumentClient, tables: Tables) {
  return async (placement: Placement): Promise<Committed> => {
    const { event, draws, cart, entries = [] } = placement;
    const { customerId, reservedUntil } = JSON.parse(event.body) as z.infer<(typeof orderPlaced)['body']>;
    const index = indexKeys({ orderId: event.orderId, customerId, at: event.at, reservedUntil });
    const command = new TransactWriteCommand({
      ClientRequestToken: randomUUID(),
      TransactItems: [
        appendItem(tables.order, event, index),
        ...draws.map((draw) => drawItem(tables.inventory, draw)),
        ...(cart ? [closeCartItem(tables.cart, { ...cart, orderId: event.orderId })] : []),
        ...entries.flatMap((entry) => claimItems(tables.admission, entry)),
      ],
    });
    for (let sent = 1; ; sent++) {
      try {
        await documents.send(command);
        return { result: 'placed' };
      } catch (error) {
        // The same token is being worked on: an earlier try of ours whose answer was lost.
        if (error instanceof TransactionInProgressException && sent < repeats) continue;
        if (!(error instanceof TransactionCanceledException)) throw error;
        return refusalOf(error, placement);
      }
    }
  };
}

/** Why an action could not be tried: its partition or table is at its limit. */
const throttled = ['ThrottlingError', 'ProvisionedThroughputExceeded'];

/**
 * Reasons come in the order of the actions: event, draws, cart, and two of each entry into a drop. The document client leaves the items of an
 * exception as they came over the wire.
 */
function refusalOf(error: TransactionCanceledException, { draws, cart, entries = [] }: Placement): Committed {
  const reasons = error.CancellationReasons ?? [];
  const known = ['None', 'ConditionalCheckFailed', 'TransactionConflict'];
  if (reasons.length === 0) throw error;
  const others = reasons.map(({ Code = 'None' }) => Code).filter((code) => !known.includes(code));
  // A refusal like any other: the use case looks for event 1 before it answers.
  if (others.length > 0 && others.every((code) => throttled.includes(code))) {
    throw new DomainError('temporary-reduced-capacity', 'Many people are ordering. Please try again.');
  }
  if (others.length > 0) throw error;
  const [event, ...rest] = reasons;
  if (event?.Code === 'ConditionalCheckFailed' && event.Item) {
    return { result: 'exists', event: eventOf(unmarshall(event.Item)) };
  }
  const stock = rest.slice(0, draws.length);
  return {
    result: 'refused',
    dry: draws.flatMap(({ sku, shard }, index) => {
      const reason = stock[index];
      if (reason?.Code !== 'ConditionalCheckFailed') return [];
      return [{ sku, ...shardOf(shard, reason.Item ? unmarshall(reason.Item) : {}) }];
    }),
    contended: draws.filter((_, index) => stock[index]?.Code === 'TransactionConflict'),
    cart: cart !== undefined && (rest[draws.length]?.Code ?? 'None') !== 'None',
    event: event?.Code === 'TransactionConflict',
    ...(entries.length > 0 && {
      entries: entries.flatMap(({ dropId }, index) => {
        const [use, limit] = rest.slice(draws.length + (cart ? 1 : 0) + 2 * index);
        return refusedEntry(dropId, use, limit) ?? [];
      }),
    }),
  };
}

function refusedEntry(
  dropId: string,
  use: CancellationReason | undefined,
  limit: CancellationReason | undefined,
): RefusedEntry | undefined {
  if (use?.Code === 'ConditionalCheckFailed') return { dropId, why: 'used' };
  if (limit?.Code === 'ConditionalCheckFailed') {
    return { dropId, why: 'limit', bought: limit.Item ? Number(unmarshall(limit.Item).units) : 0 };
  }
  const busy = [use, limit].some((reason) => reason?.Code === 'TransactionConflict');
  return busy ? { dropId, why: 'busy' } : undefined;
}

/** Shards that one consolidating transaction moves together. */
const shardsPerMove = 90;

/** Moves units of the fullest shards into one. Somebody else's write in between makes it do nothing. */
export function consolidateShards(documents: DynamoDBDocumentClient, inventory: string) {
  return async (sku: string, shards: readonly Shard[]): Promise<void> => {
    const fullest = [...shards].sort((a, b) => b.available - a.available).slice(0, shardsPerMove);
    const TransactItems = consolidation(inventory, sku, fullest);
    if (TransactItems.length === 0) return;
    try {
      await documents.send(new TransactWriteCommand({ TransactItems }));
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
    }
  };
}
