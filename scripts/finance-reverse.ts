/**
 * `npm run finance:reverse -- --date 2026-11-22 --event evt_… --by <name> --reason <text>`: takes a journal entry back
 * by a reversal. Works on the table in FINANCE_TABLE with the operator's AWS credentials, or, without one, on the
 * store that runs at PORT (3000) on this machine.
 */
import { parseArgs } from 'node:util';
import { addReversal, entryAt } from '../functions/finance/adapters/journal-table.ts';
import { reverseEntry } from '../functions/finance/app/reverse-entry.ts';
import { systemNow } from '../functions/kernel/clock.ts';
import { toDecimal } from '../functions/kernel/money.ts';
import { configOf } from '../lib/config.ts';
import { localTables } from './local-tables.ts';

const { values } = parseArgs({
  options: {
    date: { type: 'string' },
    event: { type: 'string' },
    by: { type: 'string' },
    reason: { type: 'string' },
    stage: { type: 'string', default: 'local' },
  },
});
const { date, event, by, reason, stage } = values;
if (!date || !event || !by || !reason) {
  console.error(
    'Usage: npm run finance:reverse -- --date YYYY-MM-DD --event evt_… --by <name> --reason <text>',
  );
  process.exit(1);
}
const table = process.env.FINANCE_TABLE ?? (await localTables()).finance;
const { documents } = await import('../functions/kernel/table.ts');
const reversal = await reverseEntry({
  now: systemNow,
  timeZone: configOf(stage).businessTimeZone,
  entry: entryAt(documents, table),
  addReversal: addReversal(documents, table),
})({ businessDate: date, eventId: event, by, reason });
console.log(`${reversal.entryId} of ${reversal.businessDate}: ${reversal.reverses?.reason}`);
console.table(
  reversal.postings.map(({ account, debit, credit, currency }) => ({
    account,
    debit: toDecimal({ amount: debit, currency }),
    credit: toDecimal({ amount: credit, currency }),
    currency,
  })),
);
