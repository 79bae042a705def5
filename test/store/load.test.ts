import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LoadOptions, optionsFrom } from '../../bench/load/options.ts';
import { report } from '../../bench/load/report.ts';
import { runLoad } from '../../bench/load/run.ts';
import { openStore, type Store } from '../../bench/store.ts';

let store: Store;
beforeAll(async () => {
  store = await openStore({ edge: true });
});
afterAll(() => store?.stop());

function load(...args: readonly string[]) {
  const options = optionsFrom(['--url', store.apiUrl, '--seconds', '1', ...args]) as LoadOptions;
  return runLoad(options, { apiUrl: store.apiUrl });
}
const broken = ({ findings }: Awaited<ReturnType<typeof load>>) =>
  findings.checks.filter(({ holds }) => holds === false);

describe('a little load', () => {
  it('of shoppers who browse leaves no check broken, and is reported', async () => {
    const result = await load('--scenario', 'browse', '--rate', '8');
    expect(broken(result)).toEqual([]);
    expect(result.cache.get('Hit from cloudfront')).toBeGreaterThan(0);
    expect(report(result)).toContain('checks hold');
  });

  it('of the Online Marketplace keeps its criteria', async () => {
    const result = await load('--scenario', 'mix', '--rate', '25');
    expect(broken(result)).toEqual([]);
    expect(result.recorder.steps.get('POST /v1/orders')?.accepted.count).toBeGreaterThan(0);
  });

  it('of a drop sells exactly what is there', async () => {
    const result = await load('--scenario', 'drop', '--shoppers', '25', '--units', '4', '--abandon', '0');
    expect(broken(result)).toEqual([]);
    expect(result.findings.figures).toMatchObject({ 'units sold': '4 of 4, 0 left', 'shoppers: bought': 4 });
  });

  it('of a surge is judged', async () => {
    const result = await load('--scenario', 'surge', '--rate', '3', '--ceiling', '3');
    expect(result.findings.figures).toHaveProperty('peak goodput');
    // On a machine that others use as well, how much it takes is no matter of right or wrong.
    expect(broken(result).filter(({ name }) => !/goodput|normal/.test(name))).toEqual([]);
  });
});
