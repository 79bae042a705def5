import { errorName, isDomainError } from '../../kernel/errors.ts';
import { log } from '../../kernel/log.ts';
import type { Drop } from '../domain/drop.ts';
import { firstPace, nextPace, type Pace } from '../domain/pace.ts';
import { advance, resume, type Serving } from '../domain/serving.ts';
import type { Standing } from '../domain/standing.ts';
import { type Ports as CountPorts, countArrivals } from './count-arrivals.ts';

export interface Ports extends CountPorts {
  readonly sleep: (milliseconds: number) => Promise<void>;
  /** Drops that are open, or open within the next minute. */
  readonly liveDrops: (now: number) => Promise<readonly string[]>;
  readonly load: (dropId: string) => Promise<Standing | undefined>;
  /** Admissions of the positions above `from`, up to `to`, that were used. */
  readonly claims: (
    dropId: string,
    from: number,
    to: number,
  ) => Promise<readonly { readonly position: number; readonly units: number }[]>;
  /** Units that there are, over all of the SKUs; 0 only if that was so at one moment. */
  readonly remaining: (skus: readonly string[]) => Promise<number>;
  /** Payments that wait for the provider, and that are under way; undefined when it cannot be told now. */
  readonly backlog: () => Promise<{ readonly waiting: number; readonly inFlight: number } | undefined>;
  /** The version before must still be stored. @returns whether it was */
  readonly saveServing: (drop: Drop, serving: Serving & { readonly pace: Pace }) => Promise<boolean>;
}

/** A run ends before the next one begins, a minute after it. */
const runForMs = 57_000;
const tickMs = 1_000;

/** Another conductor is at work when the number is younger than that. */
const freshMs = 700;

/**
 * Conducts the drops that are live, for a minute: each second, for each drop,
 * 1. the arrivals of the seconds that are over are counted;
 * 2. what was used, what is left, and how the payment provider keeps up are read;
 * 3. the serving number moves on.
 * A drop has one conductor: the number is stored only on the version that was read. One that cannot be conducted does
 * not end the run of the others.
 * @throws Error when a drop could not be conducted at the last try
 */
export const conductDrops = (ports: Ports) => async (): Promise<void> => {
  const until = ports.now() + runForMs;
  const live = await ports.liveDrops(ports.now());
  const ended = await Promise.allSettled(live.map((dropId) => conduct(ports, dropId, until)));
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
};

async function conduct(ports: Ports, dropId: string, until: number): Promise<void> {
  for (let failures = 0; ; ) {
    const begun = ports.now();
    try {
      if ((await tick(ports, dropId)) === 'over') return;
      failures = 0;
    } catch (error) {
      failures++;
      log.error('drop not conducted', { dropId, error: errorName(error) });
      if (failures > 5 || (ports.now() >= until && !isDomainError(error))) throw error;
    }
    if (ports.now() >= until) return;
    await ports.sleep(Math.max(50, tickMs - Math.max(0, ports.now() - begun)));
  }
}

async function tick(ports: Ports, dropId: string): Promise<'conducted' | 'waiting' | 'over'> {
  const standing = await ports.load(dropId);
  if (!standing) return 'over';
  const { drop, serving, queue } = standing;
  const now = ports.now();
  if (now >= drop.closesAt + drop.holdSeconds * 1_000 + 60_000) return 'over';
  if (now - serving.at < freshMs && serving.version > 1) return 'waiting';
  const before = resume(drop, serving, queue, now);
  // Until the number is stored the drop is not conducted, and what fails from here on must leave the line as it was.
  const counted = await countArrivals(ports, standing, before === serving);
  const claims = await ports.claims(dropId, before.lapsedTo, before.served);
  const [remaining, backlog] = await Promise.all([
    ports.remaining(drop.skus),
    drop.admission === 'as-fast-as-payment' ? ports.backlog() : undefined,
  ]);
  const rate = typeof drop.admission === 'object' ? drop.admission.rate : serving.pace.perSecond;
  const findings = { known: counted.known, remaining, claims, pace: rate };
  const { after, paced } = advance(drop, before, findings, now);
  const pace = paceOf(standing, { backlog, orders: after.used - before.used, paced, rate }, now);
  await ports.saveServing(drop, { ...after, pace });
  return 'conducted';
}

function paceOf(
  { drop, serving }: Standing,
  found: {
    readonly backlog: { readonly waiting: number; readonly inFlight: number } | undefined;
    readonly orders: number;
    readonly paced: boolean;
    readonly rate: number;
  },
  now: number,
): Pace {
  if (typeof drop.admission === 'object') return firstPace(found.rate, now);
  if (!found.backlog) return serving.pace;
  const measured = { ...found.backlog, orders: Math.max(0, found.orders), paced: found.paced };
  return nextPace(serving.pace, measured, drop.fallbackPerSecond, now);
}
