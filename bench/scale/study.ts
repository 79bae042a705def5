import { bestRate, designAt, limitAbove, naiveAt, type Point } from './capacity.ts';
import { simulateDesign } from './design.ts';
import { simulateNaive } from './naive.ts';
import { defaultQuotas, type Quotas, raise, stageQuotas } from './quotas.ts';
import type { Tally } from './tally.ts';
import { assumption, type Scenario } from './world.ts';

/** Every question that the page answers. */
export interface Study {
  readonly best: readonly Best[];
  readonly drops: readonly Drop[];
  readonly byShards: readonly {
    readonly shards: number;
    readonly atDefault: number;
    readonly atRaised: number;
  }[];
  readonly byHold: readonly { readonly heldMs: number; readonly best: number; readonly tries: number }[];
  readonly curves: readonly { readonly name: string; readonly points: readonly Point[] }[];
}

export interface Best {
  readonly name: string;
  readonly point: Point;
  readonly limit: string;
}

export interface Drop {
  readonly name: string;
  readonly scenario: Scenario;
  readonly pace?: number;
  readonly tally: Tally;
}

/** As many as one transaction can gather from (functions/order). */
const shards = 90;
const raised = raise(stageQuotas);

export const names = {
  design: 'Floodgate, default quotas',
  raised: 'Floodgate, raised',
  withoutDrop: 'Floodgate, raised, the SKU sold without a drop',
  naive: 'naive, default quotas',
  naiveRaised: 'naive, raised',
};

/** @param scale part of the shoppers and units that come to a drop */
export function study(seed: number, scale: number, say: (what: string) => void): Study {
  const best: Best[] = [];
  const curves: Study['curves'][number][] = [];
  const ask = (name: string, at: (offered: number) => Point) => {
    say(`best rate: ${name}`);
    const point = bestRate(at);
    best.push({ name, point, limit: limitAbove(point, at) });
    curves.push({
      name,
      points: [0.25, 0.5, 0.75, 0.9, 1, 1.1, 1.5, 2, 4].map((part) => at(part * point.offered)),
    });
    return point.sold;
  };
  const atDefault = ask(names.design, (offered) => designAt(offered, stageQuotas, { shards }));
  const atRaised = ask(names.raised, (offered) => designAt(offered, raised, { shards }));
  ask(names.withoutDrop, (offered) => designAt(offered, raised, { shards, withoutDrop: true }));
  ask(names.naive, (offered) => naiveAt(offered, defaultQuotas));
  ask(names.naiveRaised, (offered) => naiveAt(offered, raise(defaultQuotas)));

  say('best rate by shards');
  const byShards = [1, 2, 4, 8, 16, 32, 64, 90].map((count) => {
    const of = (quotas: Quotas) => bestRate((offered) => designAt(offered, quotas, { shards: count })).sold;
    return { shards: count, atDefault: of(stageQuotas), atRaised: of(raised) };
  });
  say('best rate by how long a transaction holds an item');
  const byHold = [2.5, 5, 7.5, 10].map((heldMs) => {
    const assume = { heldMs, transactionMs: Math.max(assumption('transactionMs'), heldMs) };
    const { sold, tries } = bestRate((offered) => designAt(offered, raised, { shards, assume }));
    return { heldMs, best: sold, tries };
  });

  const scenario = dropOf(seed, scale);
  const drops: Drop[] = [];
  // What the tickets of a crowd leave of the admission table is less than orders alone could have.
  const pace = Math.floor(assumption('paceOfBest') * Math.min(atDefault, paceBesideTickets()));
  say(names.design);
  drops.push({
    name: names.design,
    scenario,
    pace,
    tally: simulateDesign(scenario, stageQuotas, { shards, pace }),
  });
  say(names.raised);
  const fast = Math.floor(assumption('paceOfBest') * atRaised);
  drops.push({
    name: names.raised,
    scenario,
    pace: fast,
    tally: simulateDesign(scenario, raised, { shards, pace: fast }),
  });
  say(names.naive);
  drops.push({ name: names.naive, scenario, tally: simulateNaive(scenario, defaultQuotas) });
  say(names.naiveRaised);
  const tenth = dropOf(seed, scale / 10);
  drops.push({
    name: `${names.naiveRaised}, a tenth of shoppers and units`,
    scenario: tenth,
    tally: simulateNaive(tenth, raise(defaultQuotas)),
  });
  return { best, drops, byShards, byHold, curves };
}

/** Orders a second for which the admission table has units while tickets come as fast as their route lets them. */
function paceBesideTickets(): number {
  const ofTickets = stageQuotas.ticketRate * assumption('ticketWriteUnits');
  return (stageQuotas.readyWriteUnits - ofTickets) / assumption('claimWriteUnits');
}

function dropOf(seed: number, scale: number): Scenario {
  return {
    shoppers: Math.round(assumption('shoppers') * scale),
    units: Math.round(assumption('units') * scale),
    arrivalSeconds: assumption('arrivalSeconds'),
    seed,
    endsAt: 3_600,
  };
}

/** US dollars per million orders at a rate that is carried: with failed tries, without waiting crowds. */
export function usdPerMillionOrders({ tally }: Point): number {
  return (tally.usd / tally.sold) * 1e6;
}
