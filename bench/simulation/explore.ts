import { randomOf } from '../../local/random.ts';
import { dependent, everybodyWaits, type Gate, meetInFlight, type Step } from './steps.ts';
import type { Touch } from './writes.ts';

/** One try of a scenario, from its beginning. */
export interface Run {
  readonly gate: Gate;
  /** Grows with every step that changes anything. */
  readonly changes: () => number;
  /** Ends the run after its last step; answers what is wrong, nothing when all is right. */
  readonly finish: () => Promise<readonly string[]>;
}

export interface Bounds {
  /** Tries at most. */
  readonly runs: number;
  /** Further orders drawn at random: nothing is left out of them, and they are not confined to a corner. */
  readonly samples: number;
  /** Conflicts imposed in one run at most. */
  readonly conflicts: number;
  /** Tries orders that only swap steps which commute, too: to see that nothing is overlooked without them. */
  readonly everyOrder?: boolean;
  /** Goes on with whoever begins anew: to see that nothing is overlooked without it. */
  readonly everyTry?: boolean;
}

export interface Exploration {
  /** Orders of steps tried to their end; no two differ only in the order of steps that commute. */
  readonly interleavings: number;
  /** Tries in which somebody began anew: each is one of the others (see `beginsAnew`). */
  readonly begunAnew: number;
  /** Tries given up because another had shown the same. */
  readonly pruned: number;
  /** Orders drawn at random after that. */
  readonly sampled: number;
  readonly steps: number;
  /** Whether there are no other orders than those tried. */
  readonly complete: boolean;
  readonly failure?: { readonly wrong: readonly string[]; readonly schedule: readonly string[] };
}

/** A step to take, or to let lose against another in flight. */
interface Choice {
  readonly key: string;
  readonly id: string;
  readonly loses: boolean;
  readonly touches: readonly Touch[];
}

/** A point of decision on the path that is being explored. */
interface Node {
  chosen: Choice;
  /** What has to be tried here. */
  readonly toTry: Map<string, Choice>;
  /** What needs no try here, because it has had one, here or elsewhere. */
  readonly asleep: Map<string, Choice>;
  readonly enabled: ReadonlyMap<string, Choice>;
}

/** A step taken, with what had to happen before it. */
interface Taken {
  readonly choice: Choice;
  /** The taken steps before which it cannot be moved, as bits, itself included. */
  readonly past: bigint;
}

/**
 * Tries every order of the actors' steps, up to those that only swap steps which commute: depth-first, each run from
 * the beginning along a prefix of choices (stateless search), with source sets and sleep sets (Abdulla, Aronis,
 * Jonsson, Sagonas: "Optimal dynamic partial order reduction", POPL 2014). Every step's footprint is known before it
 * is taken, and steps commute when nobody writes what the other touches.
 */
export async function explore(begin: () => Promise<Run>, bounds: Bounds): Promise<Exploration> {
  const path: Node[] = [];
  const told = { interleavings: 0, begunAnew: 0, pruned: 0, sampled: 0, steps: 0, complete: false };
  while (!told.complete && told.interleavings + told.begunAnew + told.pruned < bounds.runs) {
    const run = await begun(begin);
    const { end, taken } = await follow(run, path, bounds);
    told.steps += taken;
    told[end]++;
    const failure = end === 'interleavings' ? await judged(run) : undefined;
    if (failure) return { ...told, failure };
    told.complete = !backtrack(path);
  }
  const random = randomOf(bounds.runs);
  while (told.sampled < bounds.samples) {
    const run = await begun(begin);
    told.steps += await wander(run.gate, bounds, random);
    told.sampled++;
    const failure = await judged(run);
    if (failure) return { ...told, failure };
  }
  return told;
}

/** Actors come to their first steps at different times, and any of them may be the first: waits for all. */
async function begun(begin: () => Promise<Run>): Promise<Run> {
  const run = await begin();
  await everybodyWaits();
  return run;
}

async function judged({ gate, finish }: Run): Promise<Exploration['failure']> {
  const schedule = [...gate.taken];
  const wrong = await finish();
  return wrong.length > 0 ? { wrong, schedule } : undefined;
}

/** Takes whatever step the dice say, until nobody waits; answers how many. */
async function wander(gate: Gate, bounds: Bounds, random: () => number): Promise<number> {
  let conflicts = 0;
  for (let taken = 0; ; taken++) {
    const choices = choicesOf(gate.pending, conflicts < bounds.conflicts);
    const choice = choices[Math.floor(random() * choices.length)];
    if (!choice) return taken;
    if (choice.loses) {
      conflicts++;
      await gate.lose(choice.id);
    } else await gate.take(choice.id);
  }
}

/** Runs along `path`, and on from its end, adding to it, until nobody waits or nothing new can come. */
async function follow(
  { gate, changes }: Run,
  path: Node[],
  bounds: Bounds,
): Promise<{ end: 'interleavings' | 'begunAnew' | 'pruned'; taken: number }> {
  const taken: Taken[] = [];
  /** When each step was issued: after how many taken ones, and by which. */
  const issued = new Map<string, { after: number; past: bigint }>();
  /** What each actor has asked so far. */
  const asked = new Set<string>();
  const waitNoMore = new Set<string>();
  let conflicts = 0;
  for (let depth = 0; ; depth++) {
    const last = taken.at(-1);
    const pending = gate.pending.filter(({ actor }) => !waitNoMore.has(actor));
    for (const { id } of pending)
      if (!issued.has(id)) issued.set(id, { after: depth, past: last?.past ?? 0n });
    if (pending.length === 0)
      return { end: waitNoMore.size > 0 ? 'begunAnew' : 'interleavings', taken: depth };
    if (depth === path.length) {
      const choices = choicesOf(pending, conflicts < bounds.conflicts);
      const node = decide(choices, path.at(-1), bounds.everyOrder);
      if (!node) return { end: 'pruned', taken: depth };
      path.push(node);
    }
    const node = path[depth]!;
    const step = gate.waiting(node.chosen.id)!;
    const before = changes();
    if (node.chosen.loses) {
      conflicts++;
      await gate.lose(node.chosen.id);
    } else {
      await gate.take(node.chosen.id);
      if (changes() === before) node.chosen = onlyReading(node.chosen);
    }
    asked.add(`${step.actor} ${step.what}`);
    const next = gate.pending.filter(({ actor }) => actor === step.actor);
    if (changes() === before && !bounds.everyTry && next.some((one) => beginsAnew(step, one, asked)))
      waitNoMore.add(step.actor);
    taken.push(record(node.chosen, taken, issued));
    // Races with earlier steps are of interest when the last choice is new; others were seen before.
    if (depth === path.length - 1) noteRaces(taken, issued, path);
  }
}

/** The next point of decision; undefined when everything that could be done has been tried elsewhere. */
function decide(choices: readonly Choice[], before: Node | undefined, everyOrder = false): Node | undefined {
  const enabled = new Map(choices.map((choice) => [choice.key, choice]));
  if (everyOrder) {
    const [first] = enabled.values();
    return { chosen: first!, toTry: new Map(enabled), asleep: new Map(), enabled };
  }
  const asleep = new Map(
    [...(before?.asleep ?? [])].filter(([, choice]) => !dependent(choice.touches, before!.chosen.touches)),
  );
  const awake = choices.filter(({ key }) => !asleep.has(key));
  const chosen = awake[0];
  if (!chosen) return undefined;
  // Whether a step loses is nobody's doing but the database's: every chance of it is tried.
  const toTry = new Map(
    [chosen, ...awake.filter(({ loses }) => loses)].map((choice) => [choice.key, choice]),
  );
  return { chosen, toTry, asleep, enabled };
}

function choicesOf(pending: readonly Step[], mayLose: boolean): Choice[] {
  const takes = pending.map(({ id, touches, judged = [] }) => ({
    key: id,
    id,
    loses: false,
    touches: [...touches, ...judged],
  }));
  if (!mayLose) return takes;
  const losers = pending.filter((step) => pending.some((other) => meetInFlight(step, other)));
  return [...takes, ...losers.map(({ id, touches }) => ({ key: `${id}!`, id, loses: true, touches }))];
}

/**
 * Whether an actor whose write was refused reads the whole partition again that it had read before it: whoever changes an
 * order loads, decides and appends, and begins anew when somebody else was faster. It carries nothing over, so this is
 * the order of steps in which it has come later; that one is tried, and this one goes on without it, for the sake of the
 * others' steps only.
 */
function beginsAnew(refused: Step, next: Step, asked: ReadonlySet<string>): boolean {
  const [read, ...more] = next.touches;
  return (
    refused.lose !== undefined &&
    read !== undefined &&
    more.length === 0 &&
    !read.write &&
    read.sk === undefined &&
    refused.touches.some(({ place, write }) => write && place === read.place) &&
    asked.has(`${next.actor} ${next.what}`)
  );
}

/** What has changed nothing, because its condition failed or it was done before, commutes like a read. */
function onlyReading(choice: Choice): Choice {
  return { ...choice, touches: choice.touches.map((touch) => ({ ...touch, write: false })) };
}

type Issued = ReadonlyMap<string, { readonly after: number; readonly past: bigint }>;

function record(choice: Choice, taken: readonly Taken[], issued: Issued): Taken {
  let past = issued.get(choice.id)!.past | (1n << BigInt(taken.length));
  for (const earlier of taken) if (dependent(earlier.choice.touches, choice.touches)) past |= earlier.past;
  return { choice, past };
}

/** Where the last step could have come before an earlier one, that order is put on the list of what is to be tried. */
function noteRaces(taken: readonly Taken[], issued: Issued, path: readonly Node[]): void {
  const last = taken.length - 1;
  const { choice, past } = taken[last]!;
  const creation = issued.get(choice.id)!.past;
  for (let index = last - 1; index >= 0; index--) {
    const bit = 1n << BigInt(index);
    if (creation & bit || !dependent(taken[index]!.choice.touches, choice.touches)) continue;
    // Only if nothing between them keeps them apart.
    const between = taken.slice(index + 1, last).some((step, offset) => {
      const own = 1n << BigInt(index + 1 + offset);
      return step.past & bit && past & own;
    });
    if (between) continue;
    // What happened meanwhile without depending on the earlier step, then the last one.
    const others = taken.flatMap((step, at) =>
      at > index && (at === last || !(step.past & bit)) ? [at] : [],
    );
    const initials = others.filter(
      (at) => !others.some((other) => other !== at && taken[at]!.past & (1n << BigInt(other))),
    );
    const node = path[index]!;
    if (initials.some((at) => node.toTry.has(taken[at]!.choice.id))) continue;
    const first = initials
      .map((at) => node.enabled.get(taken[at]!.choice.id))
      .find((one) => one !== undefined);
    if (!first) throw new Error('a race without a step to reverse it');
    node.toTry.set(first.key, first);
  }
}

/** Moves the path to the next untried choice; false when there is none. */
function backtrack(path: Node[]): boolean {
  for (let node = path.at(-1); node; path.pop(), node = path.at(-1)) {
    node.asleep.set(node.chosen.key, node.chosen);
    const next = [...node.toTry.values()].find(({ key }) => !node.asleep.has(key));
    if (next) {
      node.chosen = next;
      return true;
    }
  }
  return false;
}
