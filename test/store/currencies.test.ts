import { expect, it } from 'vitest';
import { currencies } from '../../bench/proofs/currencies.ts';

it('totals, e-mail, ledger and export agree to the minor unit in KRW, USD and KWD', async () => {
  const { figures, manifest } = await currencies();
  expect(manifest.balanced).toBe(true);
  const decimals: Record<string, number> = { KRW: 0, USD: 2, KWD: 3 };
  expect(figures.map(({ currency }) => currency)).toEqual(['KRW', 'USD', 'KWD']);
  for (const { currency, order, charged, email, ledgerDebit, ledgerCredit, exported } of figures) {
    expect(charged).toBe(order);
    expect(Number(email.replace(/\D/g, ''))).toBe(order);
    expect(ledgerDebit).toBe((order / 10 ** decimals[currency]!).toFixed(decimals[currency]));
    expect(ledgerCredit).toBe(ledgerDebit);
    expect(exported).toBe(ledgerDebit);
  }
});
