import { priceOf } from '../../local/pricing.ts';
import type { MeterLine } from '../../local/types.ts';
import type { Client } from '../store.ts';

/** What the embedded cloud's meter counted. */
export interface Reading {
  /** At list price; Lambda by the time that functions took on this machine. */
  readonly usd: number;
  readonly readUnits: number;
  readonly writeUnits: number;
  /** Write units of the inventory's table for placing orders, failed conditions and conflicts included. */
  readonly stockWriteUnits: number;
  readonly usdByService: readonly (readonly [service: string, usd: number])[];
}

/** A transactional write of an item up to 1 KB. */
export const unitsOfATransactionalWrite = 2;

export async function readMeter(client: Client): Promise<Reading> {
  const { body } = await client.request('GET', '/_local/meter');
  return readingOf(body.lines);
}

export function readingOf(lines: readonly MeterLine[]): Reading {
  const units = (name: string, which: (line: MeterLine) => boolean = () => true) =>
    lines
      .filter((line) => line.service === 'dynamodb' && which(line))
      .reduce((sum, { counts }) => sum + (counts[name] ?? 0), 0);
  const services = new Map<string, number>();
  for (const { service, counts } of lines) {
    for (const [name, count] of Object.entries(counts)) {
      services.set(service, (services.get(service) ?? 0) + priceOf(`${service}.${name}`, count));
    }
  }
  const byService = [...services].filter(([, usd]) => usd > 0).sort(([, a], [, b]) => b - a);
  return {
    usd: byService.reduce((sum, [, usd]) => sum + usd, 0),
    readUnits: units('readUnits'),
    writeUnits: units('writeUnits'),
    stockWriteUnits: units(
      'writeUnits',
      ({ resource, by }) => /inventory/i.test(resource) && /place-?order/i.test(by),
    ),
    usdByService: byService,
  };
}
