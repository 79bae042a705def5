import { randomUUID } from 'node:crypto';
import type { Answer, Store } from '../../../bench/store.ts';
import type { Route } from '../../../functions/kernel/contract.ts';
import type { Sample } from './route-samples.ts';

/** A request as it goes over the wire, but for the token. */
export interface Wire {
  /** Decoded values of the path's parameters. */
  readonly params: Readonly<Record<string, string>>;
  /** In place of the path that `params` make. */
  readonly path?: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: Readonly<Record<string, string>>;
  readonly content?: string;
}

/** Writes come with a new Idempotency-Key and take any version, wherever the route looks at them. */
export function wireOf(route: Route, { params = {}, query = {}, headers, body, file }: Sample): Wire {
  const content = file ? file.text : body === undefined ? undefined : JSON.stringify(body);
  return {
    params,
    query: Object.entries(query),
    headers: {
      ...(route.method !== 'GET' && { 'idempotency-key': randomUUID(), 'if-match': '*' }),
      ...(content !== undefined && { 'content-type': file?.type ?? 'application/json' }),
      ...headers,
    },
    ...(content !== undefined && { content }),
  };
}

/** Path and query. */
export function addressOf(route: Route, { params, path, query }: Wire): string {
  const named = route.path.replace(/\{(\w+)\}/g, (_, name) =>
    encodeURIComponent((params[name] ?? '').toWellFormed()),
  );
  const search = new URLSearchParams(query.map(([name, value]): [string, string] => [name, value]));
  return `${path ?? named}${query.length > 0 ? `?${search}` : ''}`;
}

export function send(
  store: Pick<Store, 'request'>,
  route: Route,
  wire: Wire,
  token?: string,
): Promise<Answer> {
  const { headers, content } = wire;
  return store.request(route.method, addressOf(route, wire), {
    headers,
    ...(token !== undefined && { token }),
    ...(content !== undefined && { text: content }),
  });
}
