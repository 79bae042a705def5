import { expect, it } from 'vitest';
import { crash } from '../../bench/proofs/crash.ts';

it('a kill -9 during 100 purchases loses no order that was answered, and charges nobody twice', async () => {
  const figures = await crash();
  expect(figures.acknowledged).toBeGreaterThan(0);
  expect(figures).toMatchObject({
    foundAfterRestart: figures.acknowledged,
    captured: 100,
    orders: 100,
    repeatedRequestsThatMadeASecondOrder: 0,
    chargedTwice: 0,
    chargesWithoutOrder: 0,
    stockMissing: 0,
    processesLeft: 0,
    portsLeft: 0,
  });
});
