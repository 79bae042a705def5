import { expect, it, vi } from 'vitest';
import {
  callFaultFigures,
  depth,
  outageFigures,
  stateFaultFigures,
  stateFaults,
} from '../../bench/proofs/saga-faults.ts';
import { taskStates } from '../../bench/simulation/workflow.ts';

// Thousands of orders each: seconds by themselves, more beside other work.
vi.setConfig({ testTimeout: 240_000 });

it('every order ends well whatever befalls whichever state of the saga', async () => {
  const figures = await stateFaultFigures();
  expect(figures.flatMap(({ wrong }) => wrong)).toEqual([]);
  // Every state of the file has met every fault.
  const met = figures.filter(({ runs }) => runs > 0).map(({ at, fault }) => `${at}: ${fault}`);
  expect(met).toEqual(
    taskStates('checkout').flatMap((state) => stateFaults.map((fault) => `${state}: ${fault}`)),
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
