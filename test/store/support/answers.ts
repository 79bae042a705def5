import * as z from 'zod/mini';
import type { Answer } from '../../../bench/store.ts';
import { problem, type Route } from '../../../functions/kernel/contract.ts';
import { type ProblemCode, problems, problemType } from '../../../functions/kernel/errors.ts';

/**
 * What an answer is: a success of the route, a refusal of our own code, the gateway's own, or something that nobody
 * who reads the contract can make sense of.
 */
export type Reading =
  | { readonly kind: 'success'; readonly status: number }
  | { readonly kind: 'problem'; readonly status: number; readonly code: ProblemCode }
  | { readonly kind: 'gateway'; readonly status: number }
  | { readonly kind: 'nonsense'; readonly status: number; readonly why: string };

const codes = new Map(
  (Object.keys(problems) as ProblemCode[]).map((code) => [problemType(code), code] as const),
);
const gatewayMessage = z.strictObject({ message: z.string() });

export function read(route: Route, answer: Answer): Reading {
  const { status } = answer;
  const nonsense = (why: string): Reading => ({ kind: 'nonsense', status, why });
  // Nothing new since the ETag that was sent.
  if (status === 304 && answer.text === '') return { kind: 'success', status };
  if (status < 300) {
    const schema = route.responses[status];
    if (schema === undefined) return nonsense('a success that the contract does not know');
    if (schema === 'empty') return answer.text === '' ? { kind: 'success', status } : nonsense('has a body');
    const { error } = z.safeParse(schema, answer.body);
    return error ? nonsense(`${error.message}: ${answer.text.slice(0, 500)}`) : { kind: 'success', status };
  }
  const type = answer.headers.get('content-type');
  if (type === 'application/json' && z.safeParse(gatewayMessage, answer.body).success) {
    return { kind: 'gateway', status };
  }
  if (type !== 'application/problem+json' || !z.safeParse(problem, answer.body).success) {
    return nonsense(`no problem document: ${type} ${answer.text.slice(0, 500)}`);
  }
  const code = codes.get(answer.body.type);
  if (!code) return nonsense(`an unknown problem: ${answer.body.type}`);
  if (answer.body.status !== status || problems[code][0] !== status) {
    return nonsense(`${code} with the status ${status}`);
  }
  if (answer.body.requestId !== answer.headers.get('x-request-id')) return nonsense('another x-request-id');
  return { kind: 'problem', status, code };
}

/** `200`, `403 forbidden`, `401 gateway`. */
export function inWords(reading: Reading): string {
  switch (reading.kind) {
    case 'success':
      return String(reading.status);
    case 'problem':
      return `${reading.status} ${reading.code}`;
    case 'gateway':
      return `${reading.status} gateway`;
    case 'nonsense':
      return `${reading.status} NONSENSE ${reading.why}`;
  }
}
