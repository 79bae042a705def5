import type { Store } from '../../../bench/store.ts';
import type { Route } from '../../../functions/kernel/contract.ts';
import { inWords, read } from './answers.ts';
import { send, wireOf } from './requests.ts';
import { type RouteId, rows } from './route-samples.ts';
import { type Account, type Scene, setScene, shoppers } from './scene.ts';
import { type BadTokens, badTokens, type MachineTokens, machineTokens } from './tokens.ts';

/** What each kind of caller is answered, by the caller's name: `200`, `403 forbidden`, `401 gateway`. */
export type Answers = Readonly<Record<string, string>>;

/** The accounts and tokens that the matrix is about. */
export interface Callers {
  readonly scene: Scene;
  readonly bad: BadTokens;
  readonly machine: MachineTokens;
}

/** For each route: its bad tokens claim the group that it asks for. */
export async function setCallers(store: Store): Promise<(route: Pick<Route, 'audience'>) => Callers> {
  const scene = await setScene(store);
  const operators = await badTokens(store, 'operators');
  const finance = await badTokens(store, 'finance');
  const machine = await machineTokens(store);
  // Past the seconds for which functions trust what they read of sessions that ended.
  await store.request('POST', '/_local/clock', { json: { advanceSeconds: 10 } });
  return ({ audience }) => ({ scene, machine, bad: audience === 'finance' ? finance : operators });
}

/**
 * What the contract promises. The gateway itself asks for a token where one is needed; guests may come without one, so
 * there our own code refuses a bad one; and a route for everybody looks at none.
 */
export function promised(route: Route, callers: Callers): Answers {
  return { ...promisedToPeople(route, callers), ...promisedToSystems(route, callers) };
}

/** A system is nobody: where its scope is not asked for, its token is one of an unknown client. */
function promisedToSystems({ audience, machineScope, responses }: Route, { machine }: Callers): Answers {
  const [success] = Object.keys(responses) as [string];
  const all = (names: readonly string[], answer: string): Answers =>
    Object.fromEntries(names.map((name) => [name, answer]));
  const forged = Object.keys(machine.atTheGateway);
  const odd = Object.keys(machine.inOurCode);
  const genuine = ['system with the scope', 'system without the scope'];
  if (audience === 'all' || audience === 'provider') return all([...genuine, ...forged, ...odd], success);
  if (audience === 'guest') return all([...genuine, ...forged, ...odd], '401 unauthorized');
  if (!machineScope) return all([...genuine, ...forged, ...odd], '401 gateway');
  return {
    ...all(forged, '401 gateway'),
    ...all(odd, '401 unauthorized'),
    'system with the scope': success,
    'system without the scope': '403 forbidden',
  };
}

function promisedToPeople(route: Route, { bad }: Callers): Answers {
  const [success] = Object.keys(route.responses) as [string];
  const all = (tokens: object, answer: string): Answers =>
    Object.fromEntries(Object.keys(tokens).map((name) => [name, answer]));
  const everyBad = (gateway: string, ours: string): Answers => ({
    ...all(bad.atTheGateway, gateway),
    ...all(bad.inOurCode, ours),
    'ID token': ours,
  });
  const owned = rows[route.id as RouteId].owned;
  const ofAnother = owned && { 'another shopper': '404 not-found', 'an operator': '404 not-found' };
  switch (route.audience) {
    case 'all':
    case 'provider':
      return { ...everyBad(success, success), 'no token': success, shopper: success };
    case 'guest':
      return {
        ...everyBad('401 unauthorized', '401 unauthorized'),
        ...ofAnother,
        ...(owned && { 'no token, for what is a shopper’s': '404 not-found' }),
        shopper: success,
        'no token': success,
      };
    case 'shopper':
      return {
        'no token': '401 gateway',
        ...everyBad('401 gateway', '401 unauthorized'),
        ...ofAnother,
        shopper: success,
      };
    case 'operators':
    case 'finance':
      return {
        'no token': '401 gateway',
        ...everyBad('401 gateway', '401 unauthorized'),
        shopper: '403 forbidden',
        'signed in too long ago': '401 unauthorized',
        [route.audience === 'finance' ? 'operators' : 'finance']: '403 forbidden',
        [route.audience]: success,
      };
  }
}

/** What really is answered. Whoever is to be let in comes last, so that nothing is used up before. */
export async function answered(route: Route, { scene, bad, machine }: Callers): Promise<Answers> {
  const { samples, owned, ends } = rows[route.id as RouteId];
  const { store, shopper, stranger, operator, finance } = scene;
  const needsAccount = route.audience === 'shopper';
  const [theirs] = await samples(scene, shopper);
  const [open] = needsAccount || !owned ? [theirs] : await samples(scene);

  const answers: Record<string, string> = {};
  const ask = async (name: string, account: Account | undefined, sample = theirs) => {
    const answer = await send(store, route, wireOf(route, sample), account?.token);
    answers[name] = inWords(read(route, answer));
  };
  for (const [name, token] of Object.entries(bad.atTheGateway)) await ask(name, { token });
  await ask('ID token', { token: bad.idToken });
  for (const [name, token] of Object.entries(bad.inOurCode)) await ask(name, { token });
  for (const [name, token] of Object.entries({ ...machine.atTheGateway, ...machine.inOurCode })) {
    await ask(name, { token });
  }
  await ask('system without the scope', { token: machine.withoutScope });
  await ask('system with the scope', { token: machine.withScope });
  if (route.audience === 'operators' || route.audience === 'finance') {
    await ask('no token', undefined);
    await ask('shopper', shopper);
    await ask('signed in too long ago', { token: bad.oldSignIn });
    const [wrong, right] = route.audience === 'finance' ? [operator, finance] : [finance, operator];
    await ask(route.audience === 'finance' ? 'operators' : 'finance', wrong);
    await ask(route.audience, right);
    return answers;
  }
  if (owned) {
    await ask('another shopper', stranger);
    await ask('an operator', operator);
    if (route.audience === 'guest') await ask('no token, for what is a shopper’s', undefined);
  }
  await ask('no token', undefined, open);
  await ask('shopper', ends ? { token: (await shoppers(store, 1))[0]! } : shopper);
  return answers;
}
