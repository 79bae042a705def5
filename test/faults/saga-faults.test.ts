import { expect, it, vi } from 'vitest';
import { deployedSaga } from '../../bench/proofs/deployed-saga.ts';
import {
  callFaultFigures,
  depth,
  outageFigures,
  stateFaultFigures,
  stateFaults,
} from '../../bench/proofs/saga-faults.ts';
import { assembly } from '../support/assembly.ts';

// Thousands of orders each: seconds by themselves, more beside other work.
vi.setConfig({ testTimeout: 240_000 });

it('every order ends well whatever befalls whichever state of the saga', async () => {
  const saga = await deployedSaga(assembly);
  const figures = await stateFaultFigures(saga);
  expect(figures.flatMap(({ wrong }) => wrong)).toEqual([]);
  // Every state, of whatever kind, has met every fault.
  const met = figures.filter(({ runs }) => runs > 0).map(({ at, fault }) => `${at}: ${fault}`);
  expect(met).toEqual(
    Object.keys(saga.States).flatMap((state) => stateFaults.map((fault) => `${state}: ${fault}`)),
  );
  expect(stateFaults).toEqual(
    expect.arrayContaining([
      'failed before effect',
      'failed after effect',
      'timed out with effect',
      'run restarted from the beginning',
      'run ended at its limit',
    ]),
  );
});

it('every order ends well whichever call of a port goes wrong', async () => {
  const figures = await callFaultFigures(depth);
  expect(figures.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(new Set(figures.map(({ fault }) => fault)).size).toBe(6);
});

it('every order ends well however long the provider answers nobody', async () => {
  const figures = await outageFigures();
  expect(figures.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(figures.every(({ runs }) => runs > 0)).toBe(true);
});
