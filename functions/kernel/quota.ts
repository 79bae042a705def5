import { createHash } from 'node:crypto';

/** A quota as it holds for one caller. */
export interface Rule {
  readonly name: string;
  /** Requests in a window. */
  readonly limit: number;
  /** The window, in seconds. */
  readonly seconds: number;
}

export interface Taken {
  readonly allowed: boolean;
  readonly limit: number;
  /** As far as this environment knows. */
  readonly remaining: number;
  /** Seconds until the window ends, at least 1. */
  readonly reset: number;
}

/** Adds to what all environments have counted of a caller in a window, and answers the sum. */
export type SharedCount = (window: WindowKey, requests: number) => Promise<number>;

export interface WindowKey {
  readonly name: string;
  /** A digest: addresses are personal data. */
  readonly caller: string;
  readonly window: number;
  /** When it can be forgotten, in seconds since the epoch. */
  readonly endsAt: number;
}

interface Counted {
  readonly window: number;
  /** Let in here and not yet told to the others. */
  own: number;
  /** Whether the others are asked: from its first request beyond the allowance until the window ends. */
  heavy: boolean;
  /** What all had counted when they were last asked. */
  shared: number;
  over: boolean;
}

/** Callers that an environment remembers; the one that came first is forgotten first. */
const remembered = 5_000;

/** Of a limit, what an environment lets through before it asks the others. */
const ownShare = 4;

/**
 * Counts callers. An environment counts by itself as long as a caller sends it no more than a quarter of the limit,
 * so that an ordinary shopper costs no write; beyond that, each request is added to a counter that all share. Once
 * that is over the limit, the caller is refused here until the window ends, without asking again.
 *
 * In a window at most `limit + environments × ownAllowance(limit)` requests of a caller pass. A heavy caller costs at
 * most `limit + environments` writes a window, whatever it sends.
 */
export class Quotas {
  readonly #callers = new Map<string, Counted>();
  readonly #share: SharedCount;

  constructor(share: SharedCount) {
    this.#share = share;
  }

  /** @param caller a customer's id or an address @param now milliseconds since the epoch */
  async take(rule: Rule, caller: string, now: number): Promise<Taken> {
    const { window, endsAt } = windowOf(rule, caller, now);
    const counted = this.#counted(`${rule.name} ${caller}`, window);
    const answer = (allowed: boolean): Taken => ({
      allowed,
      limit: rule.limit,
      remaining: allowed ? Math.max(0, rule.limit - counted.shared - counted.own) : 0,
      reset: Math.max(1, Math.ceil(endsAt - now / 1_000)),
    });
    if (counted.over) return answer(false);
    counted.own++;
    counted.heavy ||= counted.own > ownAllowance(rule.limit);
    if (!counted.heavy) return answer(true);

    const added = counted.own;
    counted.own = 0;
    try {
      const sum = await this.#share({ name: rule.name, caller: digestOf(caller), window, endsAt }, added);
      counted.shared = Math.max(counted.shared, sum);
      if (sum <= rule.limit) return answer(true);
    } catch {
      // The limits must not bring down what they protect: until the counter answers, this environment counts alone.
      counted.shared += added;
      if (counted.shared <= rule.limit) return answer(true);
    }
    counted.over = true;
    return answer(false);
  }

  #counted(key: string, window: number): Counted {
    const known = this.#callers.get(key);
    if (known?.window === window) return known;
    if (!known && this.#callers.size >= remembered) this.#callers.delete(this.#callers.keys().next().value!);
    const fresh: Counted = { window, own: 0, heavy: false, shared: 0, over: false };
    this.#callers.set(key, fresh);
    return fresh;
  }
}

/** Requests of a caller that an environment lets through by itself in a window. */
export function ownAllowance(limit: number): number {
  return Math.max(1, Math.floor(limit / ownShare));
}

/** Windows begin at another time for each caller, so that those who were refused do not all come back together. */
function windowOf({ seconds }: Rule, caller: string, now: number): { window: number; endsAt: number } {
  const offset = (Number.parseInt(digestOf(caller).slice(0, 8), 16) / 2 ** 32) * seconds;
  const window = Math.floor((now / 1_000 + offset) / seconds);
  return { window, endsAt: (window + 1) * seconds - offset };
}

function digestOf(caller: string): string {
  return createHash('sha256').update(caller).digest('hex').slice(0, 32);
}

/**
 * The address that a request came from. Behind CloudFront the gateway sees CloudFront's own, and CloudFront puts the
 * viewer's at the end of `X-Forwarded-For`, to which the gateway adds the one it sees. What stands before is the
 * viewer's own claim. A provider gives an IPv6 customer a /64 at least: that is what counts.
 */
export function addressOf(sourceIp: string, forwardedFor: string | undefined, behindEdge: boolean): string {
  const entries = (forwardedFor ?? '').split(',').map((entry) => entry.trim());
  if (entries.at(-1) === sourceIp) entries.pop();
  const address = (behindEdge && entries.at(-1)) || sourceIp;
  return address.includes(':') ? `${expanded(address).slice(0, 4).join(':')}::/64` : address;
}

function expanded(address: string): string[] {
  const [head = '', tail] = address.split('::');
  const front = head.split(':').filter(Boolean);
  const back = (tail ?? '').split(':').filter(Boolean);
  const gap = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  return [...front, ...Array<string>(gap).fill('0'), ...back].map((group) => group.replace(/^0+(?=.)/, ''));
}
