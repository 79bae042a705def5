import fc from 'fast-check';
import * as z from 'zod/mini';
import type { Route } from '../../../functions/kernel/contract.ts';
import type { ProblemCode } from '../../../functions/kernel/errors.ts';
import { conforming, type JsonSchema } from './conforming.ts';
import { mutations } from './hostile.ts';
import { addressOf, type Wire, wireOf } from './requests.ts';
import type { Sample } from './route-samples.ts';

/** A generated request, with what its contract says of it. */
export interface Attempt {
  /** What is wrong with it; `valid` when nothing is. */
  readonly what: string;
  readonly wire: Wire;
  /** The contract demands a refusal, for one of these reasons. Empty: it is up to the rules of the domain. */
  readonly refusals: readonly (ProblemCode | 'gateway')[];
}

/** Requests that conform to the schemas of the route's contract, mostly about the things of the samples. */
export function validAttempts(
  route: Route,
  samples: readonly Sample[],
  count: number,
  seed: number,
): Attempt[] {
  return fc.sample(validWires(route, samples), { numRuns: count, seed }).map((wire) => {
    const refusals = refusalsOf(route, wire);
    if (refusals.length > 0) throw new Error(`not valid (${refusals}): ${JSON.stringify(wire)}`);
    return { what: 'valid', wire, refusals };
  });
}

/** The same, with one thing spoilt in each. */
export function spoiltAttempts(
  route: Route,
  samples: readonly Sample[],
  count: number,
  seed: number,
): Attempt[] {
  const spoilt = fc
    .tuple(validWires(route, samples), mutations(route))
    .map(([wire, spoil]) => spoil(wire))
    .filter((wire) => bytesOf(route, wire) <= surelyTaken || bytesOf(route, wire) > surelyRefused);
  return fc
    .sample(spoilt, { numRuns: count, seed })
    .map(({ what, ...wire }) => ({ what, wire, refusals: refusalsOf(route, wire) }));
}

function validWires(route: Route, samples: readonly Sample[]): fc.Arbitrary<Wire> {
  const made = samples.map((sample) => {
    const params = members(route.params, sample.params).filter((given) =>
      Object.values(given).every(isSegment),
    );
    const query = members(route.query, sample.query)
      .map(asText)
      .filter((given) => accepts(route.query, given));
    const { body } = route;
    const bodies =
      body === undefined || body === 'text'
        ? fc.constant(undefined)
        : conforming(jsonSchema(body), sample.body).filter((given) => accepts(body, given));
    return fc
      .record({ params, query, body: bodies, key: fc.uuid() })
      .map(({ key, ...given }) => withKey(wireOf(route, { ...sample, ...given } as Sample), key));
  });
  return fc.oneof(...made).filter((wire) => bytesOf(route, wire) <= surelyTaken);
}

function members(
  schema: z.ZodMiniObject | undefined,
  like: Sample['params'],
): fc.Arbitrary<Record<string, unknown>> {
  if (!schema) return fc.constant({});
  return conforming(jsonSchema(schema), like ?? {}) as fc.Arbitrary<Record<string, unknown>>;
}

/** The same seed makes the same requests, their keys included. */
function withKey(wire: Wire, key: string): Wire {
  return 'idempotency-key' in wire.headers
    ? { ...wire, headers: { ...wire.headers, 'idempotency-key': key } }
    : wire;
}

function jsonSchema(schema: z.ZodMiniType): JsonSchema {
  return z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

function asText(query: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
}

function accepts(schema: z.ZodMiniType | undefined, value: unknown): boolean {
  return schema === undefined || z.safeParse(schema, value).success;
}

/** Bytes of a request's head up to which the gateway takes it for certain, and above which it refuses it. */
const surelyTaken = 8_000;
const surelyRefused = 10_240;

/** Everything for which a request must be refused before any rule of the domain is asked. */
function refusalsOf(route: Route, wire: Wire): Attempt['refusals'] {
  const refusals: (ProblemCode | 'gateway')[] = [];
  if (bytesOf(route, wire) > surelyRefused || wire.path !== undefined) return ['gateway'];
  const there = Object.values(wire.params).every(isSegment);
  if (!there || !accepts(route.params, wire.params)) refusals.push('not-found');
  if (!accepts(route.query, joined(wire.query))) refusals.push('validation-failed');
  refusals.push(...refusalsOfBody(route, wire));
  const key = wire.headers['idempotency-key'] ?? '';
  if (route.idempotent && key === '') refusals.push('idempotency-key-missing');
  else if (route.idempotent && !/^[\x21-\x7e]{1,255}$/.test(key)) refusals.push('idempotency-key-invalid');
  if (route.conditional && !wire.headers['if-match']) refusals.push('precondition-required');
  return refusals;
}

/** Of the request line and the headers; the token and what a client adds are not counted. */
function bytesOf(route: Route, wire: Wire): number {
  return addressOf(route, wire).length + Object.values(wire.headers).join('').length;
}

/** What is no segment of a path makes another path, which there is not. */
function isSegment(value: unknown): boolean {
  return typeof value === 'string' && !/^\.{0,2}$/.test(value) && !value.includes('/');
}

function refusalsOfBody({ body }: Route, { content = '', headers }: Wire): readonly ProblemCode[] {
  if (body === undefined || body === 'text') return [];
  if (content === '') return accepts(body, {}) ? [] : ['validation-failed'];
  if (!/^application\/(\S+\+)?json\b/.test(headers['content-type'] ?? '')) return ['unsupported-media-type'];
  try {
    const json: unknown = JSON.parse(content);
    if (!holdsText(content) || depthOf(json) > 32) return ['malformed-request'];
    return accepts(body, json) ? [] : ['validation-failed'];
  } catch {
    return ['malformed-request'];
  }
}

/** Arrays and objects within each other. */
function depthOf(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 0;
  return 1 + Object.values(json).reduce<number>((deepest, value) => Math.max(deepest, depthOf(value)), 0);
}

/** Whether UTF-8 can hold every string of a JSON document: halves of surrogate pairs it cannot. */
function holdsText(json: string): boolean {
  return [...json.matchAll(/"(?:[^"\\]|\\.)*"/g)].every(([string]) => JSON.parse(string).isWellFormed());
}

/** As the gateway hands it on: several values of a name joined by commas. */
function joined(query: Wire['query']): Record<string, string> {
  const values = Map.groupBy(query, ([name]) => name);
  return Object.fromEntries(
    [...values].map(([name, all]) => [name, all.map(([, value]) => value.toWellFormed()).join()]),
  );
}
