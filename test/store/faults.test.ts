import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultyStore } from '../../bench/proofs/faults.ts';
import type { Fault, FaultRule, FaultsView } from '../../local/types.ts';

let faulty: FaultyStore;
let places: FaultsView['crossings'];
beforeAll(async () => {
  faulty = await FaultyStore.open({ contentionMs: 2, quiet: true });
  // A rule about nowhere: what passes is noted, and nothing happens to it.
  faulty.faults.add({ at: { service: 'none' }, fault: 'delay' });
  await faulty.buy(2);
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

const waves: readonly Fault[] = [
  'throttle',
  'fail-before',
  'fail-after',
  'drop-answer',
  'duplicate',
  'crash',
  'poison',
  'delay',
  'reorder',
  'late',
  'clock-jump',
];

/** What every purchase crosses; secrets are read once by each environment, and schedules run on their own. */
const isOfPurchase = ({ service }: { service: string }) =>
  service !== 'scheduler' && service !== 'secretsmanager';

it('every fault at every crossing of a purchase: each order ends well, and every fault was met', async () => {
  const unmet: string[] = [];
  for (const fault of waves) {
    const at = places.filter((place) => place.faults.includes(fault) && isOfPurchase(place));
    faulty.faults.clear();
    const rules = at.map(
      ({ service, operation }): FaultRule => ({
        at: { service, operation },
        fault,
        times: 1,
        // Together they stay below what a reservation lasts.
        ...(fault === 'clock-jump' && { delayMs: 2_000 }),
      }),
    );
    faulty.faults.add(...rules);
    for (let round = 0; round < 4 && missing().length > 0; round++) await faulty.buy(3, 3);
    await faulty.rest();
    unmet.push(...missing().map(({ at: { service, operation } }) => `${service} ${operation} ${fault}`));

    function missing() {
      return faulty.faults.view().rules.filter(({ hits }) => hits === 0);
    }
  }
  faulty.faults.clear();
  await faulty.settle();
  const { wrong, ends } = await faulty.wrongs();
  expect(wrong).toEqual([]);
  expect(faulty.accepted).toBe(faulty.purchases);
  // The clock moves on for messages to come back: a payment that was held up may find its reservation expired.
  expect(ends['paid, captured']).toBeGreaterThanOrEqual(0.9 * faulty.purchases);
  expect(unmet).toEqual([]);
});
