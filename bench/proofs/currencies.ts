import { exportToday, openStore, order, sell, settled, totalOf, until } from '../store.ts';

export interface CurrencyFigures {
  readonly currency: string;
  /** All in minor units, except the e-mail, which is as the shopper reads it. */
  readonly order: number;
  readonly charged: number;
  readonly email: string;
  readonly emailLanguage: string;
  readonly ledgerDebit: string;
  readonly ledgerCredit: string;
  readonly exported: string;
}

const cases = [
  { currency: 'KRW', amount: 13_000, country: 'KR', language: 'ko' },
  { currency: 'USD', amount: 1_299, country: 'US', language: 'en' },
  { currency: 'KWD', amount: 4_505, country: 'KW', language: 'en' },
];

/** One purchase each in a currency without, with two and with three decimals; then the day's export. */
export async function currencies(): Promise<{ figures: CurrencyFigures[]; manifest: any; journal: string }> {
  const store = await openStore();
  try {
    const bought = [];
    for (const { currency, amount, country, language } of cases) {
      const { sku } = await sell(store, { amount, currency, stock: 3 });
      const lines = [{ sku, quantity: 2 }];
      const total = await totalOf(store, lines, country);
      const { email, token } = await store.account();
      const placed = await order(store, { token, lines, total, country, language });
      if (placed.status !== 201) throw new Error(`not placed: ${placed.status} ${placed.text}`);
      const paid = await settled(store, token, placed.body.id, { payment: 'captured' });
      const mail = await until('the order-confirmed e-mail', async () => {
        const { body } = await store.request('GET', `/_local/messages?to=${encodeURIComponent(email)}`);
        return body.items[0];
      });
      bought.push({ currency, language, paid, mail });
    }
    const { date, manifest, files } = await exportToday(store);
    const journal = files.get('journal.csv') ?? '';
    const rows = journal
      .trim()
      .split('\r\n')
      .slice(1)
      .map((row) => row.split(','));
    const header = journal.split('\r\n')[0]!.split(',');
    const column = (name: string) => header.indexOf(name);
    const figures = bought.map(({ currency, language, paid, mail }) => {
      const mine = rows.filter((row) => row[column('orderId')] === paid.id);
      const sum = (name: string) => decimalSum(mine.map((row) => row[column(name)] ?? ''));
      return {
        currency,
        order: paid.total.amount,
        charged: paid.payment.amountCaptured.amount,
        email: amountIn(mail.text, paid.total, language),
        emailLanguage: language,
        ledgerDebit: sum('debit'),
        ledgerCredit: sum('credit'),
        exported: sumOfSales(rows, column, currency),
      };
    });
    return { figures, manifest: { date, ...manifest }, journal };
  } finally {
    await store.stop();
  }
}

/** What the export says was captured in a currency: the provider's fees and payouts are the day's too, not an order's. */
function sumOfSales(rows: readonly string[][], column: (name: string) => number, currency: string): string {
  const captures = rows.filter(
    (row) => row[column('kind')] === 'capture' && row[column('currency')] === currency,
  );
  return decimalSum(captures.map((row) => row[column('debit')] ?? ''));
}

/** Sum of plain decimals, exact. */
function decimalSum(values: readonly string[]): string {
  const scale = Math.max(0, ...values.map((value) => (value.split('.')[1] ?? '').length));
  const units = values.reduce((sum, value) => {
    const [whole = '0', fraction = ''] = (value || '0').split('.');
    return sum + BigInt(whole + fraction.padEnd(scale, '0'));
  }, 0n);
  const text = String(units).padStart(scale + 1, '0');
  return scale === 0 ? text : `${text.slice(0, -scale)}.${text.slice(-scale)}`;
}

/** The total as the e-mail shows it; empty when it does not. */
function amountIn(text: string, total: { amount: number; currency: string }, language: string): string {
  const digits = { KRW: 0, USD: 2, KWD: 3 }[total.currency] ?? 2;
  const shown = new Intl.NumberFormat(language, { style: 'currency', currency: total.currency }).format(
    total.amount / 10 ** digits,
  );
  return text.includes(shown) ? shown : '';
}
