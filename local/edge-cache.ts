import type { HttpApiResponse } from './http-api-event.ts';

/** What of a request tells cached answers apart, and how long they may be kept: a cache policy of CloudFront. */
export const edgePolicy = {
  /** Beside the path and the whole query string. */
  headers: ['authorization', 'accept-language', 'origin'],
  /** Seconds. An answer that says nothing is not kept. */
  defaultTtl: 0,
  maxTtl: 300,
  /** Seconds that an error of the origin is kept (CloudFront's error caching minimum TTL), by status. */
  errorTtl: { 500: 1, 502: 1, 503: 1, 504: 1 } as Readonly<Record<number, number>>,
} as const;

/** A request, as far as the cache looks at it. Header names in lower case. */
export interface EdgeRequest {
  readonly method: string;
  /** Path and query string, as they came. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** Asks the origin, with `ifNoneMatch` in place of the viewer's own condition where it is given. */
type Origin = (ifNoneMatch?: string) => Promise<HttpApiResponse>;

interface Entry {
  response: HttpApiResponse;
  etag: string | undefined;
  /** Milliseconds since the epoch. */
  stored: number;
  expires: number;
}

/** Answers kept at most; the oldest go first. */
const mostEntries = 10_000;

/**
 * One edge location before the API: keeps what answers declare cacheable (RFC 9111, `s-maxage` before `max-age`), lets
 * one of several simultaneous misses through, asks again with the entity tag once the time is over, and answers a
 * viewer's `If-None-Match` by itself.
 */
export class EdgeCache {
  readonly #entries = new Map<string, Entry>();
  /** What becomes of an answer that others wait for: `refused` when it is none, and one of them is to ask again. */
  readonly #underWay = new Map<string, Promise<Entry | 'refused' | undefined>>();
  readonly #now: () => number;

  /** @param now milliseconds since the epoch */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is kept and fresh; undefined when the origin must be asked. Costs no more than a look. */
  fresh(request: EdgeRequest): HttpApiResponse | undefined {
    if (request.method !== 'GET') return undefined;
    const entry = this.#entries.get(keyOf(request));
    return entry && this.#now() < entry.expires ? this.#render(entry, request, 'Hit') : undefined;
  }

  async answer(request: EdgeRequest, origin: Origin): Promise<HttpApiResponse> {
    if (request.method !== 'GET') return withCache(await origin(), 'Miss');
    const kept = this.fresh(request);
    if (kept) return kept;
    const key = keyOf(request);
    for (let led = this.#underWay.get(key); led; led = this.#underWay.get(key)) {
      const same = await led;
      if (same === 'refused') continue;
      // What was not to be kept was for whoever asked first.
      if (same === undefined) break;
      return this.#render(same, request, 'Hit');
    }
    return this.#ask(key, request, origin);
  }

  async #ask(key: string, request: EdgeRequest, origin: Origin): Promise<HttpApiResponse> {
    const stale = this.#entries.get(key);
    const { promise, resolve } = Promise.withResolvers<Entry | 'refused' | undefined>();
    const leads = !this.#underWay.has(key);
    if (leads) this.#underWay.set(key, promise);
    let told: Entry | 'refused' | undefined;
    try {
      const response = await origin(stale?.etag);
      const entry = this.#keep(key, response, stale);
      told = entry ?? (response.status >= 400 ? 'refused' : undefined);
      if (!entry) return withCache(response, response.status >= 400 ? 'Error' : 'Miss');
      return this.#render(entry, request, entry === stale ? 'RefreshHit' : 'Miss');
    } finally {
      if (leads) this.#underWay.delete(key);
      resolve(told);
    }
  }

  #keep(key: string, response: HttpApiResponse, stale: Entry | undefined): Entry | undefined {
    const now = this.#now();
    const errorSeconds = edgePolicy.errorTtl[response.status];
    if (errorSeconds !== undefined) return this.#keepError(key, response, stale, now + errorSeconds * 1_000);
    const seconds = secondsToKeep(String(response.headers['cache-control'] ?? ''));
    const refreshed = response.status === 304 && stale?.etag !== undefined;
    const isKept = seconds > 0 && (response.status === 200 || refreshed) && !response.headers['set-cookie'];
    // What was kept may still be given on when the origin fails the next time.
    if (response.status >= 400) return undefined;
    this.#entries.delete(key);
    if (!isKept) {
      if (!refreshed) return undefined;
      // The origin's word that the old one still holds, and is not to be kept any longer.
      return stale;
    }
    const entry = refreshed ? stale : { response, etag: etagOf(response), stored: now, expires: 0 };
    entry.stored = now;
    entry.expires = now + seconds * 1_000;
    this.#entries.set(key, entry);
    if (this.#entries.size > mostEntries) this.#entries.delete(this.#entries.keys().next().value!);
    return entry;
  }

  /**
   * A fault of the origin: what is kept is given on, however old, and nobody else asks for a moment.
   * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/HTTPStatusCodes.html
   */
  #keepError(key: string, response: HttpApiResponse, stale: Entry | undefined, expires: number): Entry {
    const entry = stale ?? { response, etag: undefined, stored: this.#now(), expires };
    entry.expires = expires;
    this.#entries.set(key, entry);
    return entry;
  }

  #render(entry: Entry, { headers }: EdgeRequest, result: string): HttpApiResponse {
    const { response, etag, stored } = entry;
    const age = String(Math.max(0, Math.floor((this.#now() - stored) / 1_000)));
    const told = withCache(response, response.status >= 400 ? 'Error' : result);
    const answered = { ...told, headers: { ...told.headers, age } };
    const condition = headers['if-none-match'];
    if (etag === undefined || condition === undefined || !names(String(condition), etag)) return answered;
    return { ...answered, status: 304, body: '' };
  }
}

function keyOf({ url, headers }: EdgeRequest): string {
  let key = url;
  for (const name of edgePolicy.headers) key += `\n${headers[name] ?? ''}`;
  return key;
}

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/Expiration.html, for a minimum TTL of 0 */
function secondsToKeep(cacheControl: string): number {
  if (/\b(no-store|no-cache|private)\b/i.test(cacheControl)) return 0;
  const age = /\bs-maxage=(\d+)/i.exec(cacheControl) ?? /\bmax-age=(\d+)/i.exec(cacheControl);
  return Math.min(edgePolicy.maxTtl, age ? Number(age[1]) : edgePolicy.defaultTtl);
}

function withCache(response: HttpApiResponse, result: string): HttpApiResponse {
  return { ...response, headers: { ...response.headers, 'x-cache': `${result} from cloudfront` } };
}

function etagOf({ headers }: HttpApiResponse): string | undefined {
  return headers.etag === undefined ? undefined : String(headers.etag);
}

/** RFC 9110 §13.1.2: the weak comparison. */
function names(condition: string, etag: string): boolean {
  const opaque = (tag: string) => tag.trim().replace(/^W\//, '');
  return condition.split(',').some((tag) => tag.trim() === '*' || opaque(tag) === opaque(etag));
}
