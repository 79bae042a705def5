/*
 * Access patterns of the admission table
 *
 * | what                                                        | by                                                     |
 * |-------------------------------------------------------------|--------------------------------------------------------|
 * | a drop                                                      | pk = DROP#<drp>, sk = DROP                             |
 * | every drop, by when it opens                                | pk = DROPS, sk = <opensAt>#<drp>                       |
 * | the drops that a SKU is in                                  | pk = SKU#<sku>, sk = DROPS                             |
 * | whom a drop serves, its pace, what became of admissions     | pk = SERVING#<drp>, sk = SERVING                       |
 * | up to which second arrivals are counted, and how many       | pk = QUEUE#<drp>, sk = QUEUE                           |
 * | arrivals of one second in one bucket                        | pk = ARRIVALS#<drp>#<second>#<bucket>, sk = ARRIVALS   |
 * | where a second's positions begin, and its buckets' counts   | pk = SECOND#<drp>#<second>, sk = SECOND                |
 * | a shopper's ticket                                          | pk = TICKET#<drp>#<sub>, sk = TICKET                   |
 * | an admission that was used (single use)                     | pk = CLAIM#<drp>#<position mod 128>, sk = <position>   |
 * | units that a shopper has bought in a drop (limit)           | pk = CUSTOMER#<drp>#<sub>, sk = CUSTOMER               |
 * | an order that was let in while nobody conducts              | pk = FALLBACK#<drp>#<second>#<slot>, sk = FALLBACK     |
 *
 * Whatever a crowd writes at the same time lies in different partitions. A ticket is found by its owner alone, so that
 * nobody else's can be asked for. DynamoDB may delete what belongs to a drop a month after it closed.
 */

/**
 * A claim takes two write units of its partition's 1,000 a second, and so does each try that meets another order: 128 take
 * 10,000 orders a second with more than two tries each, and where two lie in one partition of DynamoDB's.
 */
export const claimShards = 128;

export function dropKey(dropId: string) {
  return { pk: `DROP#${dropId}`, sk: 'DROP' };
}

export const dropsPartition = 'DROPS';

/** @param opensAt RFC 3339 in UTC with milliseconds: sorts as text */
export function listedDropKey(opensAt: string, dropId: string) {
  return { pk: dropsPartition, sk: `${opensAt}#${dropId}` };
}

export function skuKey(sku: string) {
  return { pk: `SKU#${sku}`, sk: 'DROPS' };
}

export function servingKey(dropId: string) {
  return { pk: `SERVING#${dropId}`, sk: 'SERVING' };
}

export function queueKey(dropId: string) {
  return { pk: `QUEUE#${dropId}`, sk: 'QUEUE' };
}

/** @param second seconds since the epoch */
export function arrivalsKey(dropId: string, second: number, bucket: number) {
  return { pk: `ARRIVALS#${dropId}#${second}#${bucket}`, sk: 'ARRIVALS' };
}

export function secondKey(dropId: string, second: number) {
  return { pk: `SECOND#${dropId}#${second}`, sk: 'SECOND' };
}

export function ticketKey(dropId: string, customerId: string) {
  return { pk: `TICKET#${dropId}#${customerId}`, sk: 'TICKET' };
}

export function claimPartition(dropId: string, shard: number): string {
  return `CLAIM#${dropId}#${shard}`;
}

/** Positions sort as text. */
export function claimSortKey(position: number): string {
  return String(position).padStart(12, '0');
}

export function claimKey(dropId: string, position: number) {
  return { pk: claimPartition(dropId, position % claimShards), sk: claimSortKey(position) };
}

export function customerKey(dropId: string, customerId: string) {
  return { pk: `CUSTOMER#${dropId}#${customerId}`, sk: 'CUSTOMER' };
}

export function fallbackKey(dropId: string, second: number, slot: number) {
  return { pk: `FALLBACK#${dropId}#${second}#${slot}`, sk: 'FALLBACK' };
}
