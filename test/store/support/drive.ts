import type { Answer } from '../../../bench/store.ts';
import type { Route } from '../../../functions/kernel/contract.ts';
import { inWords, type Reading, read } from './answers.ts';
import { type Attempt, spoiltAttempts, validAttempts } from './generated.ts';
import { addressOf, send, wireOf } from './requests.ts';
import { type RouteId, rows, type Sample } from './route-samples.ts';
import { type Account, type Scene, shoppers } from './scene.ts';

export interface Figures {
  readonly route: string;
  /** Of the valid: successes. */
  readonly done: number;
  /** Of the valid: refusals by a rule of the domain, other than 404 and 422. */
  readonly refusedByRule: number;
  /** Of the valid: 404 and 422. */
  readonly notThere: number;
  readonly spoilt: number;
  /** Of the spoilt: those that the contract demands be refused. */
  readonly mustRefuse: number;
  /** What should not have been answered, with the request. */
  readonly complaints: readonly string[];
}

/**
 * Sends `count` valid and `count` spoilt requests to a route. Each scene has its own share, one request at a time, so
 * that none is refused for another's sake.
 * @param document the OpenAPI document of the store
 */
export async function drive(
  route: Route,
  document: any,
  scenes: readonly Scene[],
  { count, seed }: { count: number; seed: number },
): Promise<Figures> {
  const readings: { attempt: Attempt; reading: Reading }[] = [];
  const complaints: string[] = [];
  const share = Math.ceil(count / scenes.length);
  await Promise.all(
    scenes.map(async (scene, index) => {
      const account = accountFor(route, scene);
      const samples: readonly Sample[] = await rows[route.id as RouteId].samples(scene, account);
      const ownSeed = seed + index;
      const attempts = [
        ...validAttempts(route, samples, share, ownSeed),
        ...spoiltAttempts(route, samples, share, ownSeed),
      ];
      const callers = await callersOf(route, scene, attempts.length);
      for (const [at, attempt] of attempts.entries()) {
        const answer = await send(scene.store, route, attempt.wire, callers(at)?.token);
        const reading = read(route, answer);
        readings.push({ attempt, reading });
        const complaint = complaintAbout(document, route, attempt, reading);
        if (complaint) complaints.push(told(route, attempt, answer, complaint, ownSeed));
      }
    }),
  );
  const valid = readings.filter(({ attempt }) => attempt.what === 'valid').map(({ reading }) => reading);
  const done = valid.filter(({ kind }) => kind === 'success').length;
  const notThere = valid.filter(({ status }) => status === 404 || status === 422).length;
  return {
    route: route.id,
    done,
    refusedByRule: valid.length - done - notThere,
    notThere,
    spoilt: readings.length - valid.length,
    mustRefuse: readings.filter(({ attempt }) => attempt.refusals.length > 0).length,
    complaints,
  };
}

function accountFor({ audience }: Route, { shopper, operator, finance }: Scene): Account | undefined {
  if (audience === 'operators') return operator;
  if (audience === 'finance') return finance;
  return audience === 'shopper' ? shopper : undefined;
}

/** Who sends each of so many requests: one account, or each its own where a request ends the session. */
async function callersOf(
  route: Route,
  scene: Scene,
  count: number,
): Promise<(at: number) => Account | undefined> {
  if (!rows[route.id as RouteId].ends) return () => accountFor(route, scene);
  const tokens = await shoppers(scene.store, count);
  return (at) => ({ token: tokens[at]! });
}

/** Why the reading is not what it should be; undefined when it is. */
function complaintAbout(document: any, route: Route, attempt: Attempt, reading: Reading): string | undefined {
  const { refusals } = attempt;
  const codes = listed(document, route, reading.status);
  if (reading.status >= 500) return 'a failure of ours';
  switch (reading.kind) {
    case 'nonsense':
      return reading.why;
    case 'gateway':
      return refusals.includes('gateway') ? undefined : 'the gateway refused it';
    case 'success':
      if (!codes) return 'the status is not in the document';
      return refusals.length > 0 ? `not refused: ${refusals}` : undefined;
    case 'problem':
      if (!codes?.includes(reading.code)) return `${reading.code} is not in the document`;
      // Card numbers are looked for before anything else.
      if (refusals.length === 0 || [...refusals, 'card-number-refused'].includes(reading.code))
        return undefined;
      return `refused, but not for ${refusals}`;
  }
}

/** The problem codes that the document lists for a status of the route; undefined when it does not list the status. */
function listed(document: any, route: Route, status: number): string[] | undefined {
  const response = document.paths[route.path][route.method.toLowerCase()].responses[status];
  if (!response) return undefined;
  const { content } = response.$ref
    ? document.components.responses[response.$ref.split('/').at(-1)]
    : response;
  const types: string[] = content?.['application/problem+json']?.schema.properties.type.enum ?? [];
  return types.map((type) => type.slice(type.lastIndexOf('/') + 1));
}

function told(
  route: Route,
  { what, wire }: Attempt,
  answer: Answer,
  complaint: string,
  seed: number,
): string {
  const { headers, content } = wire;
  return [
    `${route.id}, ${what} (seed ${seed}): ${complaint}`,
    `  ${route.method} ${addressOf(route, wire).slice(0, 300)} ${JSON.stringify(headers).slice(0, 300)}`,
    ...(content === undefined ? [] : [`  ${content.slice(0, 600)}`]),
    `  → ${answer.status} ${answer.text.slice(0, 400)}`,
  ].join('\n');
}

/** How the route answers its sample now. */
export async function stillServes(route: Route, scene: Scene): Promise<string> {
  const account = accountFor(route, scene);
  const [sample] = await rows[route.id as RouteId].samples(scene, account);
  const caller = (await callersOf(route, scene, 1))(0);
  return inWords(read(route, await send(scene.store, route, wireOf(route, sample), caller?.token)));
}
