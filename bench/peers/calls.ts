import { join } from 'node:path';

/** Where all of them send it. */
export const address = {
  name: 'Kim Minji',
  line1: '1 Sejong-daero',
  city: 'Seoul',
  postalCode: '04524',
  country: 'KR',
  phone: '+82212345678',
};

/** A server program that is copied into a peer's folder. */
export function program(name: string): string {
  return join(import.meta.dirname, 'programs', name);
}

export interface Call {
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Statuses that are no error; any 2xx unless told. */
  readonly expect?: readonly number[];
}

/** @throws Error with the answer when its status is not expected */
export async function callJson(
  method: string,
  url: string,
  { json, headers, expect }: Call = {},
): Promise<{ status: number; body: any; headers: Headers }> {
  const response = await fetch(url, {
    method,
    headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(json !== undefined && { body: JSON.stringify(json) }),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  const known = expect ? expect.includes(response.status) : response.ok;
  if (!known) throw new Error(`${method} ${new URL(url).pathname}: ${response.status} ${text.slice(0, 500)}`);
  return { status: response.status, body: text === '' ? undefined : parsed(text), headers: response.headers };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
