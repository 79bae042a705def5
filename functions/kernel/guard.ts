import type { Caller, Machine } from './caller.ts';
import type { Route } from './contract.ts';
import { EndedSessions } from './ended-sessions.ts';
import { DomainError, errorName } from './errors.ts';
import { readEndings, readPressure, sharedCount } from './limits-table.ts';
import { count, log } from './log.ts';
import { overloadMetrics } from './metrics.ts';
import { canBeShed, levelAt, OwnPressure, type Pressure, quotaFactorAt, shareRefused } from './pressure.ts';
import { addressOf, Quotas, type Taken } from './quota.ts';

/** Milliseconds that an environment trusts what it read of the pressure, and of sessions that ended. */
const trustedFor = 5_000;

/** Milliseconds after which it looks again when the table did not answer. */
const failedFor = 1_000;

/**
 * Milliseconds that the first look of an environment may take. It has no connection yet, and knows of no ended
 * session: what it does not learn now, it lets in.
 */
const firstLookWithin = 2_000;

/** What the guard adds to the answer, whichever it is. */
export interface Guarded {
  readonly headers: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly retryAfter?: number;
}

/** A refusal with what its answer must say. */
export class Refusal extends DomainError {
  readonly guarded: Guarded;

  constructor(code: 'quota-exceeded' | 'temporary-reduced-capacity', detail: string, guarded: Guarded) {
    super(code, detail);
    this.guarded = guarded;
  }
}

/**
 * What stands before a route: refuses whose session has ended, by priority under pressure, and callers beyond their
 * quota. One for each environment. Where there is no table of limits (`LIMITS_TABLE`), or it does not answer,
 * everybody is let in but for what the environment sees by itself: a store that sells to nobody while a table is away
 * would be the greater harm, and no token is good for longer than an hour.
 */
export class Guard {
  readonly #own = new OwnPressure();
  readonly #quotas: Quotas;
  readonly #ended = new EndedSessions();
  /** How many endings there were when this environment last read them. */
  #endingsRead = 0;
  #pressure: Pressure = {};
  /** The last look; none yet in a new environment. */
  #looked: { readonly at: number; readonly answered: boolean } | undefined;
  #reading: Promise<void> | undefined;
  /** Counted here and reported together: under overload a line for each would be a load of its own. */
  readonly #refused = { shed: 0, quota: 0 };

  constructor() {
    this.#quotas = new Quotas((window, requests) =>
      sharedCount(process.env.LIMITS_TABLE ?? '')(window, requests),
    );
  }

  /**
   * @throws Refusal `temporary-reduced-capacity`, `quota-exceeded`; DomainError `unauthorized` (the session has ended)
   */
  async admit(
    route: Pick<Route, 'priority' | 'quota'>,
    request: {
      readonly caller: Caller | Machine | undefined;
      readonly sourceIp: string;
      readonly headers: Readonly<Record<string, string | undefined>>;
    },
    now = Date.now(),
  ): Promise<Guarded> {
    if (process.env.LIMITS_TABLE) await this.#look(process.env.LIMITS_TABLE, now);
    if (request.caller && 'customerId' in request.caller && this.#ended.has(request.caller)) {
      throw new DomainError('unauthorized', 'The session has ended. Sign in again.');
    }
    this.#shed(route, now);
    return this.#count(route, request, now);
  }

  /** What became of a request that was let in. `served`: whatever the answer, AWS had the capacity for it. */
  record(outcome: 'served' | 'lacking'): void {
    this.#own.record(outcome, Date.now());
  }

  #shed({ priority }: Pick<Route, 'priority'>, now: number): void {
    if (!canBeShed(priority)) return;
    const share = Math.max(
      shareRefused(priority, levelAt(this.#pressure, now)),
      this.#own.shareRefused(priority, now),
    );
    if (Math.random() >= share) return;
    this.#own.record('shed', now);
    this.#refused.shed++;
    // The more is refused, the longer those who were are asked to stay away.
    const retryAfter = 2 + Math.floor(Math.random() * (4 + 12 * share));
    throw new Refusal(
      'temporary-reduced-capacity',
      'We serve buyers first at the moment. Please try again.',
      {
        headers: {},
        retryAfter,
      },
    );
  }

  async #count(
    { quota }: Pick<Route, 'quota'>,
    { caller, sourceIp, headers }: Parameters<Guard['admit']>[1],
    now: number,
  ): Promise<Guarded> {
    const { LIMITS_TABLE, ORIGIN_KEY_SECRET_ARN, QUOTA_FACTOR = '1' } = process.env;
    const requests = caller ? quota?.requests : quota?.addressRequests;
    if (!quota || requests === undefined || !LIMITS_TABLE) return { headers: {} };
    const factor = Number(QUOTA_FACTOR) * quotaFactorAt(this.#pressure, now);
    const limit = Math.max(1, Math.round(requests * factor));
    const account = caller && ('customerId' in caller ? caller.customerId : caller.clientId);
    const who =
      account ?? addressOf(sourceIp, headers['x-forwarded-for'], ORIGIN_KEY_SECRET_ARN !== undefined);
    const taken = await this.#quotas.take({ name: quota.name, limit, seconds: quota.seconds }, who, now);
    const fields = rateLimitFields(quota.name, quota.seconds, taken);
    if (taken.allowed) return { headers: fields };
    this.#refused.quota++;
    const detail = `At most ${taken.limit} requests in ${quota.seconds} s. Please go on more slowly.`;
    throw new Refusal('quota-exceeded', detail, {
      headers: fields,
      retryAfter: taken.reset + Math.floor(Math.random() * 5),
    });
  }

  async #look(table: string, now: number): Promise<void> {
    if (this.#looked) {
      const { at, answered } = this.#looked;
      if (now - at < (answered ? trustedFor : failedFor) && now >= at) return;
    }
    this.#reading ??= this.#read(table, now).finally(() => {
      this.#reading = undefined;
    });
    await this.#reading;
  }

  async #read(table: string, now: number): Promise<void> {
    this.#report();
    const within = this.#looked ? undefined : firstLookWithin;
    let answered = false;
    try {
      this.#pressure = await readPressure(table, within);
      await this.#readEndings(table, now, within);
      answered = true;
    } catch (error) {
      log.warn('pressure not read', { error: errorName(error) });
    }
    this.#looked = { at: now, answered };
  }

  async #readEndings(table: string, now: number, within: number | undefined): Promise<void> {
    const { count = 0, at = 0 } = this.#pressure.endings ?? {};
    // Only functions that take tokens may read them.
    if (!process.env.TOKEN_CLIENT_ID || count === this.#endingsRead) return;
    const since = this.#ended.since(now);
    if (at >= since) this.#ended.add(await readEndings(table, since, within), now);
    this.#endingsRead = count;
  }

  #report(): void {
    const { shed, quota } = this.#refused;
    if (shed > 0) count(overloadMetrics.shed, shed);
    if (quota > 0) count(overloadMetrics.quotaRefused, quota);
    Object.assign(this.#refused, { shed: 0, quota: 0 });
  }
}

/** https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (version 10) */
function rateLimitFields(
  name: string,
  seconds: number,
  { limit, remaining, reset }: Taken,
): Record<string, string> {
  return {
    'ratelimit-policy': `"${name}";q=${limit};w=${seconds}`,
    ratelimit: `"${name}";r=${remaining};t=${reset}`,
  };
}
