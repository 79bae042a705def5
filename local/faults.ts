import { randomOf } from './random.ts';
import type { CrossingKind, Fault, FaultPlace, FaultRule, FaultsView } from './types.ts';

const anywhere: readonly Fault[] = [
  'throttle',
  'delay',
  'fail-before',
  'fail-after',
  'drop-answer',
  'duplicate',
  'reorder',
  'clock-jump',
];

/** What can go wrong where. A request is one that an HTTP API takes: the shop's, or the payment provider's. */
export const faultsOf: Readonly<Record<CrossingKind, readonly Fault[]>> = {
  call: [...anywhere, 'crash'],
  delivery: [...anywhere, 'late', 'poison'],
  run: [...anywhere, 'crash'],
  request: anywhere,
};
const allFaults = new Set<string>(Object.values(faultsOf).flat());

/** Where something crosses from one part of the cloud to another, as rules see it. */
interface Met {
  readonly kind: CrossingKind;
  readonly service: string;
  readonly operation: string;
  /** Physical names. */
  readonly resources: readonly string[];
  /** The function, workflow, pipe, rule or schedule that it comes from. */
  readonly by: string;
  /** What can be done to it here, of what its kind allows. */
  can(fault: Fault): boolean;
}

interface ActiveRule {
  readonly id: number;
  readonly rule: FaultRule;
  readonly random: () => number;
  /** Crossings that the rule is about, and those of them that it spoilt. */
  met: number;
  hits: number;
}

/** A fault that a crossing has met. */
export interface Struck {
  readonly fault: Fault;
  readonly delayMs: number | undefined;
}

export class Faults {
  #rules: ActiveRule[] = [];
  #next = 1;
  readonly #hits = new Map<string, number>();
  readonly #crossings = new Map<string, { kind: CrossingKind; faults: readonly Fault[]; count: number }>();

  /** Whether any rule is in force. */
  get any(): boolean {
    return this.#rules.length > 0;
  }

  /** @throws RangeError for a fault that there is not, or figures that make no sense */
  add(...rules: readonly FaultRule[]): void {
    for (const rule of rules) checkRule(rule);
    for (const rule of rules) {
      const id = this.#next++;
      this.#rules.push({ id, rule, random: randomOf(rule.seed ?? id), met: 0, hits: 0 });
    }
  }

  clear(): void {
    this.#rules = [];
    this.#hits.clear();
    this.#crossings.clear();
  }

  view(): FaultsView {
    return {
      crossings: [...this.#crossings]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, { kind, faults, count }]) => {
          const [service, operation] = JSON.parse(key);
          return { kind, service, operation, faults, count };
        }),
      rules: this.#rules.map(({ id, rule, met, hits }) => ({ id, ...rule, met, hits })),
      hits: [...this.#hits]
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, count]) => {
          const [service, operation, fault] = JSON.parse(key);
          return { service, operation, fault, count };
        }),
    };
  }

  /** The fault of the first rule that strikes; each rule about this place counts that it was met. */
  strike(met: Met): Struck | undefined {
    const possible = faultsOf[met.kind].filter(met.can);
    this.#count(met, possible);
    let struck: Struck | undefined;
    for (const active of this.#rules) {
      if (!isAbout(active.rule.at, met)) continue;
      const fault = faultFor(active, possible);
      if (!fault) continue;
      active.met++;
      if (struck || !isDue(active)) continue;
      active.hits++;
      struck = { fault, delayMs: active.rule.delayMs };
      const key = JSON.stringify([met.service, met.operation, fault]);
      this.#hits.set(key, (this.#hits.get(key) ?? 0) + 1);
    }
    return struck;
  }

  #count({ service, operation, kind }: Met, faults: readonly Fault[]): void {
    const key = JSON.stringify([service, operation]);
    const before = this.#crossings.get(key);
    // A call of a function can end in a crash, that of a pipe cannot.
    const more = before && before.faults.length > faults.length ? before.faults : faults;
    this.#crossings.set(key, { kind, faults: more, count: (before?.count ?? 0) + 1 });
  }
}

/** The rule's fault if it can happen here; with `any`, one of those that can. */
function faultFor({ rule, random }: ActiveRule, possible: readonly Fault[]): Fault | undefined {
  if (rule.fault !== 'any') return possible.find((fault) => fault === rule.fault);
  const among = possible.filter((fault) => !(rule.except ?? []).includes(fault));
  return among[Math.floor(random() * among.length)];
}

function isDue({ rule, met, hits, random }: ActiveRule): boolean {
  if (rule.nth !== undefined) return met === rule.nth;
  if (rule.times !== undefined && hits >= rule.times) return false;
  return rule.probability === undefined || random() < rule.probability;
}

function isAbout(at: FaultPlace, { service, operation, resources, by }: Met): boolean {
  return (
    matches(at.service, service) &&
    matches(at.operation, operation) &&
    matches(at.function, by) &&
    (at.resource === undefined || resources.some((name) => matches(at.resource, name)))
  );
}

/** A name; one that ends in `*` stands for every name that begins so. */
function matches(pattern: string | undefined, name: string): boolean {
  if (pattern === undefined) return true;
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

function checkRule(rule: FaultRule): void {
  const { at, fault, probability = 1, nth = 1, times = 1, seed = 0, delayMs = 0 } = rule;
  if (typeof at !== 'object' || at === null) throw new RangeError('at must name a place: {} is everywhere');
  const unknown = Object.entries(at).find(
    ([name, value]) =>
      !['service', 'operation', 'resource', 'function'].includes(name) || typeof value !== 'string',
  );
  if (unknown) throw new RangeError(`at.${unknown[0]} is no place`);
  if (fault !== 'any' && !allFaults.has(fault))
    throw new RangeError(`fault must be one of any, ${[...allFaults].join(', ')}`);
  if (!(probability > 0 && probability <= 1)) throw new RangeError('probability must be above 0, 1 at most');
  if (!Number.isInteger(nth) || nth < 1) throw new RangeError('nth must be a whole number, 1 or more');
  if (!Number.isInteger(times) || times < 1) throw new RangeError('times must be a whole number, 1 or more');
  if (!Number.isInteger(seed)) throw new RangeError('seed must be a whole number');
  if (!(delayMs >= 0)) throw new RangeError('delayMs must be a number, 0 or more');
}
