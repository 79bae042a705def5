import * as z from 'zod/mini';
import { id, instant, listOf, page, route } from '../kernel/contract.ts';

const dropId = id('drp');
const ticketId = id('tkt');
const sku = id('sku');

/** Header of `POST /v1/orders`: the token of an admission; several, for SKUs of several drops, with commas. */
export const admissionHeader = 'floodgate-admission';

const units = z.int().check(z.minimum(0));
const perSecond = z.int().check(z.minimum(1), z.maximum(10_000));

/** Admissions a second, or as many as the payment provider is measured to keep up with. */
const admission = z.union([z.strictObject({ rate: perSecond }), z.literal('as-fast-as-payment')]);
export type AdmissionPace = z.infer<typeof admission>;

/** `scheduled`, `open` and `closed` follow the clock; `paused` an operator; `sold_out` the stock, and ends with it. */
const dropState = z.enum(['scheduled', 'open', 'paused', 'sold_out', 'closed']);
export type DropState = z.infer<typeof dropState>;

const described = {
  name: z.string().check(z.trim(), z.minLength(1), z.maxLength(200)),
  skus: z.array(sku).check(
    z.minLength(1),
    z.maxLength(20),
    z.refine((skus) => new Set(skus).size === skus.length, 'names a SKU twice'),
  ),
  opensAt: instant,
  closesAt: instant,
  /** Units that one shopper may buy in the drop, over all of its SKUs. */
  perCustomerLimit: z.int().check(z.minimum(1), z.maximum(999)),
  admission,
  /** Admissions a second while nobody conducts the drop. */
  fallbackPerSecond: z.int().check(z.minimum(1), z.maximum(1_000)),
};
/** How long an admission can be used. */
const holdSeconds = z.int().check(z.minimum(30), z.maximum(900));
/** Counters on which the arrivals of a second are spread. */
const arrivalShards = z.int().check(z.minimum(1), z.maximum(100));

const drop = z.object({
  id: dropId,
  ...described,
  holdSeconds,
  arrivalShards,
  state: dropState,
  createdAt: instant,
  updatedAt: instant,
  queue: z.object({
    /** Tickets with a position that have not been admitted. */
    length: units,
    /** Positions given out. */
    known: units,
    /** Positions admitted. */
    served: units,
    /** Admissions that can still be used. */
    outstanding: units,
    used: units,
    lapsed: units,
    /** Admissions a second now. */
    pace: z.number().check(z.minimum(0)),
    /** When the drop was last conducted; `stale` when that is too long ago, and the fallback rate counts. */
    at: instant,
    stale: z.boolean(),
  }),
  stock: z.array(z.object({ sku, available: units, shards: z.int() })),
});
export type DropView = z.infer<typeof drop>;

const admissionToken = z.object({
  /** For the header `Floodgate-Admission` of `POST /v1/orders`. */
  token: z.string(),
  expiresAt: instant,
});

const ticket = z.object({
  id: ticketId,
  dropId,
  /**
   * `counting`: everybody who came in the same second is still being counted. `lapsed`: the turn was not used in time;
   * another `POST` gives a new ticket at the end of the queue. `sold_out`: units may come back, the place is kept.
   */
  state: z.enum(['counting', 'waiting', 'admitted', 'used', 'lapsed', 'sold_out', 'closed']),
  arrivedAt: instant,
  /** From 1. It is the shopper's turn when `serving` of the drop has reached it. */
  position: z.optional(z.int()),
  etaSeconds: z.optional(z.int()),
  pollAfterSeconds: z.int(),
  admission: z.optional(admissionToken),
});
export type TicketView = z.infer<typeof ticket>;

const publicDrop = z.object({
  id: dropId,
  name: z.string(),
  state: dropState,
  opensAt: instant,
  closesAt: instant,
  skus: z.array(sku),
  perCustomerLimit: z.int(),
  /** Every ticket up to this position has been admitted. */
  serving: units,
  /** When that was so. */
  at: instant,
  soldOut: z.boolean(),
  pollAfterSeconds: z.int(),
});
export type PublicDrop = z.infer<typeof publicDrop>;

export const createDrop = route({
  id: 'createDrop',
  method: 'POST',
  path: '/v1/admin/drops',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Announces a drop: from now until it closes its SKUs are sold only to who has been admitted, in the order of the waiting room. `opensAt` is at least two minutes ahead; left out, it is as soon as that.',
  idempotent: true,
  body: z.strictObject({
    ...described,
    /** At least two minutes ahead; without it the drop opens then. */
    opensAt: z.optional(instant),
    holdSeconds: z._default(holdSeconds, 120),
    arrivalShards: z._default(arrivalShards, 64),
  }),
  responses: { 201: drop },
  problems: ['already-exists', 'idempotency-key-reused', 'validation-failed', 'temporary-reduced-capacity'],
});
export type NewDrop = z.output<typeof createDrop.body>;

export const listDrops = route({
  id: 'listDrops',
  method: 'GET',
  path: '/v1/admin/drops',
  audience: 'operators',
  priority: 'operate',
  summary: 'Drops, those that open last first.',
  query: z.object(page),
  responses: { 200: listOf(drop) },
  problems: ['invalid-cursor'],
});

const dropParams = z.object({ dropId });

export const getDrop = route({
  id: 'getDrop',
  method: 'GET',
  path: '/v1/admin/drops/{dropId}',
  audience: 'operators',
  priority: 'operate',
  summary: 'A drop with its queue and the stock of its SKUs, as of a second ago.',
  params: dropParams,
  responses: { 200: drop },
  problems: ['not-found'],
  live: true,
});

export const changeDrop = route({
  id: 'changeDrop',
  method: 'PATCH',
  path: '/v1/admin/drops/{dropId}',
  audience: 'operators',
  priority: 'operate',
  summary:
    'Pauses a drop (`paused`: nobody more is admitted), resumes it (`open`), ends it for good (`closed`), or changes its rates.',
  params: dropParams,
  body: z.strictObject({
    state: z.optional(z.enum(['paused', 'open', 'closed'])),
    admission: z.optional(admission),
    fallbackPerSecond: z.optional(described.fallbackPerSecond),
  }),
  conditional: true,
  responses: { 200: drop },
  problems: [
    'not-found',
    'drop-closed',
    'precondition-failed',
    'precondition-required',
    'validation-failed',
    'temporary-reduced-capacity',
  ],
});
export type DropChange = z.output<typeof changeDrop.body>;

export const showDrop = route({
  id: 'showDrop',
  method: 'GET',
  path: '/v1/drops/{dropId}',
  audience: 'all',
  priority: 'order',
  summary: 'Whom a drop is serving: the one number that everybody who waits may ask for each second.',
  params: dropParams,
  responses: { 200: publicDrop },
  problems: ['not-found'],
  cacheSeconds: 1,
});

export const takeTicket = route({
  id: 'takeTicket',
  method: 'POST',
  path: '/v1/drops/{dropId}/tickets',
  audience: 'shopper',
  priority: 'cart',
  summary:
    'A place in the waiting room. Sent again, from however many tabs, it is the same one; after a turn that was not used it is a new one.',
  // Of tabs at the very same moment each draws a place, and all but one stay empty: as no-shows they hold up who is behind.
  quota: { name: 'tickets', requests: 10, seconds: 60 },
  params: dropParams,
  responses: { 201: ticket },
  problems: ['not-found', 'drop-not-open', 'drop-closed', 'temporary-reduced-capacity'],
});

export const getTicket = route({
  id: 'getTicket',
  method: 'GET',
  path: '/v1/drops/{dropId}/tickets/{ticketId}',
  audience: 'shopper',
  priority: 'order',
  summary: "The caller's own ticket: its position, and the admission when it is its turn.",
  params: z.object({ dropId, ticketId }),
  responses: { 200: ticket },
  problems: ['not-found', 'temporary-reduced-capacity'],
});
