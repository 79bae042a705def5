import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultyStore } from '../../bench/proofs/faults.ts';
import { until } from '../../bench/store.ts';
import type { Fault, FaultRule, FaultsView } from '../../local/types.ts';

let faulty: FaultyStore;
let places: FaultsView['crossings'];
beforeAll(async () => {
  faulty = await FaultyStore.open({ contentionMs: 2, quiet: true });
  // A rule about nowhere: what passes is noted, and nothing happens to it.
  faulty.faults.add({ at: { service: 'none' }, fault: 'delay' });
  await faulty.invite(2);
  await faulty.buy(2);
  const isTold = ({ service }: { service: string }) => service === 'ses';
  await until('a shopper is told', async () => faulty.faults.view().crossings.some(isTold));
  await faulty.rest();
  places = faulty.faults.view().crossings;
});
afterAll(() => faulty?.store.stop());

it('a purchase crosses every service that it should', () => {
  expect(places.map(({ service }) => service)).toEqual(
    expect.arrayContaining([
      'apigateway',
      'cognito-idp',
      'dynamodb',
      'events',
      'lambda',
      'lambda-esm',
      'pipes',
      'provider',
      'secretsmanager',
      'ses',
      'sqs',
      'states',
    ]),
  );
});

/** Of a wave, as often as it takes for every fault to be met. */
const rounds = 6;
const purchasesARound = 3;

/** A pipe that has an unreadable record goes on only when it has given that up: last of all. */
const isPipe = ({ service }: { service: string }) => service === 'pipes';
const waves: readonly { fault: Fault; at?: (place: { service: string }) => boolean }[] = [
  { fault: 'throttle' },
  { fault: 'fail-before' },
  { fault: 'fail-after' },
  { fault: 'drop-answer' },
  { fault: 'duplicate' },
  { fault: 'crash' },
  { fault: 'delay' },
  { fault: 'reorder' },
  { fault: 'late' },
  { fault: 'clock-jump' },
  { fault: 'poison', at: (place) => !isPipe(place) },
  { fault: 'poison', at: isPipe },
];

/** What every purchase crosses; secrets are read once by each environment, and schedules run on their own. */
const isOfPurchase = ({ service }: { service: string }) =>
  service !== 'scheduler' && service !== 'secretsmanager';

it.each(waves)('$fault is met at every crossing of a purchase', async ({ fault, at = () => true }) => {
  const missing = () => faulty.faults.view().rules.filter(({ hits }) => hits === 0);
  faulty.faults.clear();
  await faulty.invite(rounds * purchasesARound);
  const rules = places
    .filter((place) => place.faults.includes(fault) && isOfPurchase(place) && at(place))
    .map(
      ({ service, operation }): FaultRule => ({
        at: { service, operation },
        fault,
        times: 1,
        // Together they stay below what a reservation lasts.
        ...(fault === 'clock-jump' && { delayMs: 2_000 }),
        // Nothing else moves the clock meanwhile.
        ...(fault === 'late' && { delayMs: 500 }),
      }),
    );
  expect(rules).not.toEqual([]);
  faulty.faults.add(...rules);
  for (let round = 0; round < rounds && missing().length > 0; round++) {
    await faulty.buy(purchasesARound, purchasesARound);
    await until('every fault was met', async () => missing().length === 0, 2_000).catch(() => {});
  }
  await faulty.rest();
  expect(missing().map(({ at: { service, operation } }) => `${service} ${operation}`)).toEqual([]);
});

it('each order of these purchases ends well', async () => {
  faulty.faults.clear();
  await faulty.settle();
  const { wrong, ends } = await faulty.wrongs();
  expect(wrong).toEqual([]);
  expect(faulty.accepted).toBe(faulty.purchases);
  // The clock moves on for messages to come back: a payment that was held up may find its reservation expired.
  expect(ends['paid, captured']).toBeGreaterThanOrEqual(0.8 * faulty.purchases);
});
