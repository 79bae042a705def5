import * as z from 'zod/mini';
import type { ProblemCode } from './errors.ts';

/** Who may call a route. `guest`: a token is optional, but one that is sent must be good. */
export type Audience = 'all' | 'guest' | 'shopper' | 'operators' | 'finance' | 'provider';

/** The resource server that scopes belong to: `floodgate/finance.read` in a token. */
export const resourceServer = 'floodgate';

/** Seconds that a person's access token is good for. */
export const accessTokenSeconds = 3_600;
/** How long after signing in operators and finance may go on as such, however often their tokens are refreshed. */
export const staffSessionSeconds = 12 * 3_600;

/** What a system can be let in for by a token of its own (OAuth 2.0 client credentials), and what that means. */
export const machineScopes = { 'finance.read': 'Read the daily finance exports' } as const;
export type MachineScope = keyof typeof machineScopes;

/**
 * What is given up first when there is not enough for all: looking around, then carts, then orders. Paying, the
 * provider's calls and what operators need are never refused for want of capacity.
 */
export type Priority = 'browse' | 'cart' | 'order' | 'pay' | 'operate';

/** How many requests of one caller are served in a window; the others are answered 429. */
export interface Quota {
  /** Routes with the same name share it. */
  readonly name: string;
  /** Of one customer. */
  readonly requests: number;
  /** Of one address, for callers without an account; many people may stand behind it. */
  readonly addressRequests?: number;
  readonly seconds: number;
}

/** One HTTP route of the public API: validation, OpenAPI, gateway route and client types all come from it. */
export interface Route {
  /** OpenAPI operationId, for example `placeOrder`. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{parameters}`, for example `/v1/orders/{orderId}`. */
  readonly path: string;
  readonly audience: Audience;
  /** Systems whose token has this scope may call beside the audience. No other route takes a system's token. */
  readonly machineScope?: MachineScope;
  readonly summary: string;
  readonly priority: Priority;
  readonly quota?: Quota;
  readonly params?: z.ZodMiniObject;
  readonly query?: z.ZodMiniObject;
  /** JSON body; `text` when the route takes the raw body (imports, webhooks). */
  readonly body?: z.ZodMiniType | 'text';
  /** `Idempotency-Key` is required. */
  readonly idempotent?: true;
  /** `If-Match` is required (428 when missing). */
  readonly conditional?: true;
  /** Success statuses with the schema of their bodies; `empty` for none. */
  readonly responses: Readonly<Record<number, z.ZodMiniType | 'empty'>>;
  /** Problems beyond those that every route may answer. */
  readonly problems?: readonly ProblemCode[];
  /** Seconds that a shared cache may keep a 200. */
  readonly cacheSeconds?: number;
  /** The body changes while its `ETag` does not (live prices), so a GET never answers 304. */
  readonly live?: true;
}

/** Declares a route; keeps its literal types. */
export function route<const R extends Route>(definition: R): R {
  return definition;
}

/** One event type that leaves a context: source, type and the schema of its body. */
export interface EventContract {
  /** `floodgate.<context>`, the `source` on the bus. */
  readonly source: string;
  /** The `detail-type` on the bus, for example `order.placed`. */
  readonly type: string;
  /** Of the body's schema. A new version is a new contract; stored events are upcast on read. */
  readonly version: number;
  readonly summary: string;
  readonly body: z.ZodMiniType;
}

/** Declares an event; keeps its literal types. */
export function event<const E extends EventContract>(definition: E): E {
  return definition;
}

/** ISO 4217 codes that the store trades in. */
export const currency = z.enum(['KRW', 'JPY', 'USD', 'EUR', 'GBP', 'KWD']);
export type Currency = z.infer<typeof currency>;

/** An integer of minor units that is at least 0 (RFC: ISO 4217 exponents, see `money.ts`). */
export const amount = z.int().check(z.minimum(0), z.maximum(Number.MAX_SAFE_INTEGER));
export const money = z.object({ amount, currency });
export type Money = z.infer<typeof money>;

/** An opaque id with its prefix, for example `ord_…`. */
export function id(prefix: string) {
  return z.string().check(z.regex(new RegExp(`^${prefix}_[0-9A-Za-z-]{1,64}$`)));
}

export const instant = z.iso.datetime();

/** ISO 3166-1 alpha-2. */
export const country = z.string().check(z.regex(/^[A-Z]{2}$/));

/** `?limit=&cursor=` of every list. */
export const page = {
  limit: z._default(z.coerce.number().check(z.int(), z.minimum(1), z.maximum(100)), 20),
  cursor: z.optional(z.string().check(z.minLength(1), z.maxLength(2048))),
};

/** `{items, next}`; `next` is absent on the last page. */
export function listOf<T extends z.ZodMiniType>(item: T) {
  return z.object({ items: z.array(item), next: z.optional(z.string()) });
}

const line = (max: number) => z.string().check(z.trim(), z.minLength(1), z.maxLength(max));
const optionalLine = (max: number) => z.optional(z.string().check(z.trim(), z.maxLength(max)));

export const address = z.object({
  name: line(100),
  line1: line(200),
  line2: optionalLine(200),
  city: line(100),
  region: optionalLine(100),
  postalCode: line(20),
  country,
  phone: optionalLine(30),
});
export type Address = z.infer<typeof address>;

/** RFC 9457, as every error of our own code. */
export const problem = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  instance: z.string(),
  requestId: z.string(),
});
