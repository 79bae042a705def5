import { isoInstant } from '../../kernel/clock.ts';
import { decodeCursor, encodeCursor } from '../../kernel/cursor.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { DropView, PublicDrop } from '../contract.ts';
import { type Drop, stateOf } from '../domain/drop.ts';
import { noSuchDrop } from '../domain/refusals.ts';
import { isStale, lapsedOf, outstandingOf, servedAt } from '../domain/serving.ts';
import type { Standing } from '../domain/standing.ts';

export interface Ports {
  readonly now: () => number;
  readonly standing: (dropId: string) => Promise<Standing | undefined>;
  readonly stock: (skus: readonly string[]) => Promise<DropView['stock']>;
  /** Ids of drops, those that open last first; `after` and `next` are sort keys. */
  readonly list: (
    limit: number,
    after: string | undefined,
  ) => Promise<{ readonly ids: readonly string[]; readonly next: string | undefined }>;
}

/** For everybody, through a cache. @throws DomainError `not-found` */
export const showDrop =
  (ports: Pick<Ports, 'now' | 'standing'>) =>
  async (dropId: string): Promise<PublicDrop> => {
    const standing = await ports.standing(dropId);
    if (!standing) throw noSuchDrop(dropId);
    const { drop, serving, queue } = standing;
    const now = ports.now();
    const stale = isStale(drop, serving, now);
    const state = stateOf(drop, serving.soldOut && !stale, now);
    return {
      id: drop.id,
      name: drop.name,
      state,
      opensAt: isoInstant(drop.opensAt),
      closesAt: isoInstant(drop.closesAt),
      skus: [...drop.skus],
      perCustomerLimit: drop.perCustomerLimit,
      serving: servedAt(drop, serving, queue, now),
      at: isoInstant(stale ? now : serving.at),
      soldOut: state === 'sold_out',
      pollAfterSeconds: state === 'open' ? 2 : 10,
    };
  };

/** For operators. @throws DomainError `not-found` */
export const getDrop =
  (ports: Pick<Ports, 'now' | 'standing' | 'stock'>) =>
  async (dropId: string): Promise<{ view: DropView; version: number }> => {
    const standing = await ports.standing(dropId);
    if (!standing) throw noSuchDrop(dropId);
    return { view: await viewOf(ports, standing), version: standing.drop.version };
  };

/** One page of drops. @throws DomainError `invalid-cursor` */
export const listDrops =
  (ports: Ports) =>
  async (page: {
    limit: number;
    cursor?: string | undefined;
  }): Promise<{ items: DropView[]; next?: string }> => {
    const binding = ['listDrops'];
    const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, binding);
    if (after !== undefined && !(typeof after === 'string' && /^[\x21-\x7e]{1,200}$/.test(after))) {
      throw new DomainError('invalid-cursor', 'Use the `next` of the page before.');
    }
    const { ids, next } = await ports.list(page.limit, after as string | undefined);
    const found = await Promise.all(ids.map(ports.standing));
    const items = await Promise.all(found.flatMap((one) => (one ? [viewOf(ports, one)] : [])));
    return next === undefined ? { items } : { items, next: encodeCursor(next, binding) };
  };

async function viewOf(
  ports: Pick<Ports, 'now' | 'stock'>,
  { drop, serving, queue }: Standing,
): Promise<DropView> {
  const now = ports.now();
  const stale = isStale(drop, serving, now);
  const served = servedAt(drop, serving, queue, now);
  return {
    ...termsOf(drop),
    state: stateOf(drop, serving.soldOut && !stale, now),
    queue: {
      length: queue.known - served,
      known: queue.known,
      served,
      outstanding: outstandingOf({ ...serving, served }),
      used: serving.used,
      lapsed: lapsedOf(serving),
      pace: stale ? drop.fallbackPerSecond : serving.pace.perSecond,
      at: isoInstant(serving.at),
      stale,
    },
    stock: await ports.stock(drop.skus),
  };
}

function termsOf(drop: Drop) {
  const { id, name, skus, perCustomerLimit, admission, fallbackPerSecond, holdSeconds, arrivalShards } = drop;
  return {
    id,
    name,
    skus: [...skus],
    opensAt: isoInstant(drop.opensAt),
    closesAt: isoInstant(drop.closesAt),
    perCustomerLimit,
    admission,
    fallbackPerSecond,
    holdSeconds,
    arrivalShards,
    createdAt: isoInstant(drop.createdAt),
    updatedAt: isoInstant(drop.updatedAt),
  };
}
