import { functions } from '../lib/stacks/specs.ts';
import { priceOf } from '../local/pricing.ts';
import type { MeterLine } from '../local/types.ts';
import assumptions from './assumptions.json' with { type: 'json' };
import prices from './prices.json' with { type: 'json' };
import { announceDrop, moveClockTo, openStore, type Store, sell, timeOf, until } from './store.ts';

/** Counts by `<service>.<count>` as in prices.json. */
type Counts = ReadonlyMap<string, number>;

interface DropReading {
  /** Of one request or, for the conductor, of one second. */
  readonly perTicket: Counts;
  readonly perLook: Counts;
  readonly perAdmission: Counts;
  readonly perMiss: Counts;
  readonly perSecond: Counts;
  /** Of an answer through the edge, with an allowance for headers. */
  readonly answerBytes: number;
}

export interface DropScenario {
  readonly shoppers: number;
  readonly units: number;
  /** Admissions a second. */
  readonly pace: number;
}

/** What a drop causes, counted over a small crowd in a store of its own. */
export async function measureDrop(crowd: number): Promise<DropReading> {
  const store = await openStore({ stage: 'prod' });
  try {
    const { sku } = await sell(store, { stock: crowd + 10 });
    const tokens = await Promise.all(
      Array.from({ length: crowd }, async () => (await store.account()).token),
    );
    const drop = await openDrop(store, sku);
    // The first requests find cold functions, which fetch keys.
    const warm = await store.account();
    const first = await store.request('POST', `/v1/drops/${drop}/tickets`, warm);
    await store.request('GET', `/v1/drops/${drop}/tickets/${first.body.id}`, warm);
    await store.request('GET', `/v1/drops/${drop}`);

    const tickets: { token: string; path: string }[] = [];
    const perTicket = await counted(store, ofRequests, crowd, async () => {
      for (const token of tokens) {
        const { status, body, text } = await store.request('POST', `/v1/drops/${drop}/tickets`, { token });
        if (status !== 201) throw new Error(`no ticket: ${status} ${text}`);
        tickets.push({ token, path: `/v1/drops/${drop}/tickets/${body.id}` });
      }
    });
    const look = ({ token, path }: { token: string; path: string }) => store.request('GET', path, { token });
    const perLook = await counted(store, ofRequests, crowd, async () => {
      for (const ticket of tickets) await look(ticket);
    });
    // A minute later the conductor is at work, and everybody is admitted: there are units for all.
    await store.request('POST', '/_local/clock', { json: { advanceSeconds: 60 } });
    const token = await store.operator();
    await until('the conductor has admitted all', async () => {
      const { body } = await store.request('GET', `/v1/admin/drops/${drop}`, { token });
      return !body.queue.stale && body.queue.served > crowd;
    });
    const perAdmission = await counted(store, ofRequests, crowd, async () => {
      for (const ticket of tickets) await look(ticket);
    });
    const misses = 20;
    let answerBytes = 0;
    const perMiss = await counted(store, ofRequests, misses, async () => {
      for (let miss = 0; miss < misses; miss++) {
        answerBytes = (await store.request('GET', `/v1/drops/${drop}`)).text.length + headerBytes;
      }
    });
    const from = await timeOf(store);
    const conducted = await counted(store, ofConductor, 1, () => conductedFor(store, drop, from, 10_000));
    const seconds = ((await timeOf(store)) - from) / 1_000;
    const perSecond = new Map([...conducted].map(([name, count]) => [name, count / seconds]));
    return { perTicket, perLook, perAdmission, perMiss, perSecond, answerBytes };
  } finally {
    await store.stop();
  }
}

/** Bytes of an answer's headers, roughly. */
const headerBytes = 600;

async function openDrop(store: Store, sku: string): Promise<string> {
  const { id, opensAt } = await announceDrop(store, sku, {
    closesAt: (await timeOf(store)) + 86_400_000,
    admission: { rate: 10_000 },
    fallbackPerSecond: 1_000,
    holdSeconds: 900,
  });
  await moveClockTo(store, opensAt);
  return id;
}

async function conductedFor(store: Store, drop: string, from: number, milliseconds: number): Promise<void> {
  const token = await store.operator();
  await until('it has been conducted for long enough', async () => {
    const { body } = await store.request('GET', `/v1/admin/drops/${drop}`, { token });
    return Date.parse(body.queue.at) >= from + milliseconds;
  });
}

const conductor = 'admission-conduct-drops';
const waiting = ['admission-take-ticket', 'admission-get-ticket', 'admission-show-drop'];
const routes = functions.flatMap(({ context, name, trigger }) =>
  waiting.includes(`${context}-${name}`) && 'http' in trigger
    ? [`${trigger.http.method} ${trigger.http.path}`]
    : [],
);

type Which = (line: MeterLine, nameOf: (resource: string) => string) => boolean;
const ofRequests: Which = ({ by, resource, operation }, nameOf) =>
  [nameOf(by), nameOf(resource)].some((name) => waiting.includes(name)) || routes.includes(operation);
const ofConductor: Which = ({ by, resource }, nameOf) => [nameOf(by), nameOf(resource)].includes(conductor);

async function counted(
  store: Store,
  which: Which,
  times: number,
  work: () => Promise<void>,
): Promise<Counts> {
  await store.request('DELETE', '/_local/meter');
  await work();
  const { body } = await store.request('GET', '/_local/meter');
  const names = new Map(
    store.cloud.runtime.resources('AWS::Lambda::Function').map(({ ref, properties }) => {
      const spec = functions.find(({ description }) => description === properties.Description);
      return [ref, spec ? `${spec.context}-${spec.name}` : ref];
    }),
  );
  const nameOf = (resource: string) => names.get(resource) ?? resource;
  const sums = new Map<string, number>();
  for (const line of (body.lines as MeterLine[]).filter((one) => which(one, nameOf))) {
    for (const [name, count] of Object.entries(line.counts)) {
      const price = `${line.service}.${name}`;
      // Durations on this machine are not those of Lambda: they are assumed.
      if (price !== 'lambda.gbSeconds') sums.set(price, (sums.get(price) ?? 0) + count / times);
    }
  }
  return sums;
}

/** Edge requests of a shopper at `position`, who asks as often as the tickets say, until the turn or the end. */
function pollsOf(position: number, { units, pace }: DropScenario): number {
  const until = Math.min(position, units) / pace;
  let polls = 0;
  for (let at = 0; at < until; polls++) {
    const eta = position / pace - at;
    at += Math.max(1, Math.min(15, Math.floor(eta / 4)));
  }
  return polls + 1;
}

/** The bill of a drop at list price, in Markdown. */
export function dropReport(reading: DropReading, scenario: DropScenario, crowd: number): string {
  const { shoppers, units, pace } = scenario;
  const { conductorMb, edgeLocations, requestMb, secondsOpen } = assumptions.drop;
  const seconds = Math.min(shoppers, units) / pace + secondsOpen;
  const polls = Array.from({ length: shoppers }, (_, index) => pollsOf(index + 1, scenario)).reduce(
    (sum, one) => sum + one,
    0,
  );
  const misses = Math.min(polls, edgeLocations * seconds);
  const admitted = Math.min(shoppers, units);
  const parts: readonly (readonly [what: string, times: number, of: Counts])[] = [
    ['tickets', shoppers, reading.perTicket],
    ['a look for the position', shoppers, reading.perLook],
    ['a look for the admission', admitted, reading.perAdmission],
    ['misses of the edge', misses, reading.perMiss],
    ['the conductor', seconds, reading.perSecond],
  ];
  const requests = shoppers * 2 + admitted + misses;
  const sums = new Map<string, number>();
  const add = (price: string, count: number) => sums.set(price, (sums.get(price) ?? 0) + count);
  for (const [, times, of] of parts) for (const [price, count] of of) add(price, count * times);
  const requestSeconds = requests * (assumptions.milliseconds.other / 1_000);
  add('lambda.gbSeconds', (requestSeconds * requestMb + seconds * conductorMb) / 1_024);
  const throughEdge = polls + shoppers * 2 + admitted;
  add('cloudfront.requests', throughEdge);
  add('cloudfront.bytes', throughEdge * reading.answerBytes);
  add('waf.requests', throughEdge);
  const known: Readonly<Record<string, { readonly of: string }>> = prices.prices;
  const lines = [...sums]
    .map(([price, count]) => ({ price, of: known[price]?.of, count, usd: priceOf(price, count) }))
    .filter(({ of }) => of !== undefined)
    .sort((a, b) => b.usd - a.usd);
  const total = lines.reduce((sum, { usd }) => sum + usd, 0);
  const perPart = parts.map(([what, times, of]) => {
    const writes = of.get('dynamodb.writeUnits') ?? 0;
    const reads = of.get('dynamodb.readUnits') ?? 0;
    return `| ${what} | ${Math.round(times)} | ${writes.toFixed(2)} | ${reads.toFixed(2)} |`;
  });
  return [
    `A drop of ${units} units for ${shoppers} shoppers, ${pace} admitted a second: ${Math.round(seconds)} s. ` +
      `Units counted over a crowd of ${crowd}; list prices of ${prices.region}, read on ${prices.readOn}. Orders not included.`,
    ['| what | times | write units each | read units each |', '|---|---|---|---|', ...perPart].join('\n'),
    [
      '| line | count | $ |',
      '|---|---|---|',
      ...lines.map(
        ({ price, of, count, usd }) =>
          `| ${price.split('.')[0]}: ${of} | ${Math.round(count)} | ${usd.toFixed(2)} |`,
      ),
    ].join('\n'),
    `**$${total.toFixed(2)} for the drop, $${((total / shoppers) * 1_000).toFixed(3)} per thousand shoppers**; ` +
      `${(polls / shoppers).toFixed(1)} edge polls a shopper, of which the origin sees ${((misses / polls) * 100).toFixed(1)}%.`,
  ].join('\n\n');
}
