import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type AccountPool,
  createAccount,
  demoAccounts,
  demoPassword,
  secondFactorOf,
  signIn,
} from './demo-accounts.ts';

interface SeedOptions {
  /** Where the store keeps its state; a file there says that the catalogue is in. */
  readonly home: string;
  readonly apiUrl: string;
  readonly pool: AccountPool;
  /** Told after each step how many of all rows are in. */
  readonly onProgress: (done: number, total: number) => void;
  readonly signal?: AbortSignal;
}

interface SeedReport {
  /** Rows of the catalogue, products and stock taken together, that were refused: `line 7: reason`. */
  readonly refused: readonly string[];
  /** False when an earlier start had done it all. */
  readonly imported: boolean;
}

interface ImportAnswer {
  readonly failed: readonly { readonly line: number; readonly reason: string }[];
}

const catalogue = fileURLToPath(new URL('../data/catalog/products.yaml', import.meta.url));
/** Rows a request: few enough that none nears a timeout, and that progress is seen. */
const rowsPerRequest = 250;

/**
 * Fills an empty store with the demo accounts and the catalogue, the latter through the public API. What an
 * interrupted run has done is found again and left as it is, so it can be repeated until it is through.
 * @throws Error when the API refuses a whole request
 */
export async function seed(options: SeedOptions): Promise<SeedReport> {
  const { home, pool } = options;
  for (const { email, groups } of demoAccounts) {
    await createAccount(pool, email, demoPassword, groups).catch((error) => {
      if (error.code !== 'UsernameExistsException') throw error;
    });
    if (groups.length > 0) await secondFactorOf(pool, email);
  }
  if (isSeeded(home)) return { refused: [], imported: false };
  const refused = await importCatalogue(options);
  await writeFile(markIn(home), `${new Date().toISOString()}\n`);
  return { refused, imported: true };
}

/** Whether the catalogue has been imported whole. */
export function isSeeded(home: string): boolean {
  return existsSync(markIn(home));
}

function markIn(home: string): string {
  return join(home, 'catalogue-imported');
}

async function importCatalogue({ apiUrl, pool, onProgress, signal }: SeedOptions): Promise<string[]> {
  const rows = (await readFile(catalogue, 'utf8')).split(/^(?=- )/m).filter((row) => row.startsWith('- '));
  const operator = demoAccounts.find(({ role }) => role === 'operator')!;
  const { accessToken } = await signIn(pool, operator.email, demoPassword);
  const send = async (route: string, body: string): Promise<ImportAnswer> => {
    const response = await fetch(`${apiUrl}/v1/admin/${route}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/yaml' },
      body,
      ...(signal && { signal }),
    });
    if (response.ok) return (await response.json()) as ImportAnswer;
    throw new Error(`Importing the catalogue: ${route} answered ${response.status} ${await response.text()}`);
  };

  const refused: string[] = [];
  onProgress(0, rows.length);
  let linesBefore = 0;
  for (let start = 0; start < rows.length; start += rowsPerRequest) {
    const part = rows.slice(start, start + rowsPerRequest).join('');
    // Catalogue and stock are stores of their own; neither waits for the other.
    const answers = await Promise.all([send('products/import', part), send('stock/import', part)]);
    for (const { failed } of answers) {
      refused.push(...failed.map(({ line, reason }) => `line ${linesBefore + line}: ${reason}`));
    }
    linesBefore += part.split('\n').length - 1;
    onProgress(Math.min(start + rowsPerRequest, rows.length), rows.length);
  }
  return refused;
}
