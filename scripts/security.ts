/** Prints what this project says to the OWASP ASVS and to the API Security Top 10: `npm run security`. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Standard, table } from './security/verdicts.ts';

for (const name of ['asvs', 'api-top-10']) {
  const file = join(import.meta.dirname, '../docs/security', `${name}.json`);
  console.log(`${table(JSON.parse(readFileSync(file, 'utf8')) as Standard)}\n`);
}
