import type { Check } from './ground.ts';

/** Somebody is told that there is nothing left. Milliseconds since the epoch. */
export interface Told {
  readonly by: 'drop' | 'ticket' | 'order';
  /** When it was asked, and answered. */
  readonly from: number;
  readonly until: number;
}

/** What the shoppers of a drop saw. */
export interface DropFacts {
  readonly units: number;
  readonly tickets: { readonly id: string; readonly position: number; readonly arrivedAt: number }[];
  readonly told: Told[];
  /** What orders without an admission were answered. */
  readonly gatecrashers: number[];
  /** How many different tickets somebody with several tabs got. */
  readonly tabs: number[];
  /** Orders that were accepted, by when the store says that it began to place them. */
  readonly placed: { readonly units: number; readonly at: number }[];
}

interface Ended {
  readonly shoppers: number;
  /** Shoppers who came to an end that they were told of. */
  readonly ended: number;
  readonly sold: number;
  readonly unsold: number;
  /** Answers that were 5xx other than "not now", or none. */
  readonly faults: number;
  readonly stockWritesPerSale: number | undefined;
}

const mostStockWritesPerSale = 1.3;

/** What a drop must show. */
export function dropChecks(facts: DropFacts, end: Ended): Check[] {
  const falsely = falseSoldOuts(facts);
  const { unfair, shared } = unfairness(facts);
  const crashed = facts.gatecrashers.filter((status) => status < 400).length;
  const doubled = facts.tabs.filter((different) => different > 1).length;
  const writes = end.stockWritesPerSale;
  return [
    {
      name: `${facts.units} sold, none oversold, none unsold`,
      holds: end.sold === facts.units && end.unsold === 0,
      detail: `${end.sold} sold, ${end.unsold} left`,
    },
    {
      name: 'no false sold-out',
      holds: falsely.length === 0,
      detail: `${facts.told.length} were told so; ${falsely.length} while units were free all the time`,
    },
    {
      name: 'every shopper comes to an end',
      holds: end.ended === end.shoppers,
      detail: `${end.ended} of ${end.shoppers}`,
    },
    {
      name: 'no 5xx but shed 503s',
      holds: end.faults === 0,
      detail: `${end.faults} faults`,
    },
    {
      name: `at most ${mostStockWritesPerSale} stock writes per sale`,
      holds: writes === undefined ? undefined : writes <= mostStockWritesPerSale,
      detail: writes === undefined ? 'the meter cannot be read from here' : writes.toFixed(3),
    },
    {
      name: 'the queue is by second of arrival, and no two have the same place',
      holds: unfair === 0 && shared === 0,
      detail: `${facts.tickets.length} places, ${shared} shared, ${unfair} before somebody who came a second earlier`,
    },
    {
      name: 'nobody buys without an admission',
      holds: crashed === 0,
      detail: `${facts.gatecrashers.length} tried, ${crashed} succeeded`,
    },
    {
      name: 'many tabs are one ticket',
      holds: doubled === 0,
      detail: `${facts.tabs.length} shoppers with several tabs, ${doubled} with several tickets`,
    },
  ];
}

/**
 * Those who were told that nothing was left although the orders that had been begun by then did not come to all units. An
 * order takes its units no sooner than it is begun, so that each of these is one for certain.
 */
export function falseSoldOuts({ units, told, placed }: DropFacts): readonly Told[] {
  const begun = [...placed].sort((a, b) => a.at - b.at);
  let taken = 0;
  const last = begun.find((order) => {
    taken += order.units;
    return taken >= units;
  });
  const goneAt = last?.at ?? Number.POSITIVE_INFINITY;
  return told.filter(({ until }) => until < goneAt);
}

function unfairness({ tickets }: DropFacts): { unfair: number; shared: number } {
  const byPlace = [...tickets].sort((a, b) => a.position - b.position);
  let unfair = 0;
  let latest = 0;
  for (const { arrivedAt } of byPlace) {
    // The second that counts is drawn before the ticket's time is taken: only a whole second is for certain.
    if (arrivedAt + 1_000 < latest - drawnWithinMs) unfair++;
    latest = Math.max(latest, arrivedAt);
  }
  return { unfair, shared: byPlace.length - new Set(byPlace.map(({ position }) => position)).size };
}

/** What may lie between the draw of a place and the time on the ticket. */
const drawnWithinMs = 3_000;
