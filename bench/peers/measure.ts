import type { Peer, Shop } from './peer.ts';
import { cpuSeconds } from './processes.ts';

/** So many customers at once, each of whom buys again and again. */
export interface Load {
  readonly clients: number;
  /** Answered a second, and until all that they caused had been done. */
  readonly answered: number;
  readonly finished: number;
  readonly cpuMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly sold: number;
  /** What the shop says was taken from its stock. */
  readonly taken: number;
}

/** More customers than units, all at once. */
export interface Rush {
  readonly customers: number;
  readonly units: number;
  readonly sold: number;
  readonly left: number;
  readonly failed: number;
}

export interface Figures {
  readonly peer: Peer;
  readonly loads: readonly Load[];
  readonly rush: Rush;
}

const enough = 1_000_000;
const clientCounts = [1, 4, 16];
const rushOf = { customers: 60, units: 10 };

/** @param seconds of each load @param besides processes that serve the shop, as the database's */
export async function measure(
  peer: Peer,
  shop: Shop,
  besides: readonly number[],
  seconds: number,
): Promise<Figures> {
  const warm = await shop.seed(enough);
  await buyFor(shop, warm, 2, Math.min(seconds, 5));
  await shop.rest();
  const loads: Load[] = [];
  for (const clients of clientCounts) loads.push(await load(shop, besides, clients, seconds));
  return { peer, loads, rush: await rush(shop) };
}

async function load(shop: Shop, besides: readonly number[], clients: number, seconds: number): Promise<Load> {
  const goods = await shop.seed(enough);
  const processes = [...shop.processes, ...besides];
  const cpuBefore = await cpuSeconds(processes);
  const begun = performance.now();
  const times = await buyFor(shop, goods, clients, seconds);
  const answeredAfter = (performance.now() - begun) / 1_000;
  await shop.rest();
  const finishedAfter = (performance.now() - begun) / 1_000;
  const cpu = (await cpuSeconds(processes)) - cpuBefore;
  const sold = times.length;
  times.sort((a, b) => a - b);
  return {
    clients,
    answered: sold / answeredAfter,
    finished: sold / finishedAfter,
    cpuMs: (1_000 * cpu) / sold,
    p50Ms: times[Math.floor(sold * 0.5)] ?? Number.NaN,
    p99Ms: times[Math.floor(sold * 0.99)] ?? Number.NaN,
    sold,
    taken: enough - (await shop.stock(goods)),
  };
}

/** @returns milliseconds of each checkout that sold */
async function buyFor(shop: Shop, goods: unknown, clients: number, seconds: number): Promise<number[]> {
  const customers = await Promise.all(Array.from({ length: clients }, () => shop.customer(goods)));
  const until = performance.now() + seconds * 1_000;
  const times: number[] = [];
  await Promise.all(
    customers.map(async (customer) => {
      while (performance.now() < until) {
        const begun = performance.now();
        if ((await customer.checkout()) === 'sold') times.push(performance.now() - begun);
      }
    }),
  );
  return times;
}

async function rush(shop: Shop): Promise<Rush> {
  const { customers, units } = rushOf;
  const goods = await shop.seed(units);
  const buyers = await Promise.all(Array.from({ length: customers }, () => shop.customer(goods)));
  const ends = await Promise.all(buyers.map((buyer) => buyer.checkout().catch((error: Error) => error)));
  await shop.rest();
  return {
    customers,
    units,
    sold: ends.filter((end) => end === 'sold').length,
    left: await shop.stock(goods),
    failed: ends.filter((end) => end instanceof Error).length,
  };
}

/** Whether as many units were taken as were sold, and no more than there were. */
export function isCorrect({ loads, rush: { sold, units, left } }: Figures): boolean {
  return loads.every((one) => one.sold === one.taken) && sold <= units && sold + left === units;
}
