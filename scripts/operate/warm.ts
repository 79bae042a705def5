import { parseArgs } from 'node:util';
import { isoInstant } from '../../functions/kernel/clock.ts';
import { configOf } from '../../lib/config.ts';
import type { Deployment } from './deployment.ts';
import { type Lever, UsageError } from './lever.ts';
import { isOurs, readWarmth, scaled, type WarmFunction, type Warmth, warmthOf, windowsOf } from './warmth.ts';

const minute = 60_000;

/** Has environments ready before a drop opens, and gives them back when it has closed. */
export const warm: Lever = {
  summary:
    'has environments of the functions on a drop’s path ready from a while before it opens until it closes',
  usage: '--drop <drp_…> [--environments <each, at most>] [--lead 10] [--minutes <after it opens>] | --off',
  async plan(deployment, args) {
    const asked = readArguments(args);
    const path = `/v1/admin/drops/${encodeURIComponent(asked.drop)}`;
    const { status, body } = await deployment.api('GET', path);
    if (status !== 200) throw new Error(`${asked.drop}: ${body?.title ?? status}`);
    const now = await deployment.now();
    // Schedules know no fractions of a second.
    const second = (at: number) => Math.floor(at / 1_000) * 1_000;
    const from = second(Date.parse(body.opensAt) - asked.lead * minute);
    const closes = second(Date.parse(body.closesAt));
    const to = Math.min(closes, second(Date.parse(body.opensAt)) + asked.minutes * minute);
    const says = [`${asked.drop} (${body.name}) opens ${body.opensAt} and closes ${body.closesAt}`];
    if (!asked.off && to <= now) return { says: [...says, 'that is over: nothing to do'] };

    const { reservedConcurrency } = configOf(deployment.stage);
    const functions = await readWarmth(deployment);
    const changes = functions.map((fn) => {
      const reserved = reservedConcurrency[fn.id] ?? 0;
      const environments = Math.min(asked.environments, reserved);
      const others = windowsOf(fn.steps).filter(({ drop }) => drop !== asked.drop);
      const own = { drop: asked.drop, from, to, environments };
      return { fn, reserved, environments, plan: warmthOf(asked.off ? others : [...others, own], now) };
    });
    const megabytes = changes.reduce(
      (sum, { fn, environments }) => sum + environments * (fn.spec.memoryMb ?? 512),
      0,
    );
    return {
      says: [
        ...says,
        ...changes.map(
          ({ fn, reserved, environments }) =>
            `${fn.id}: ${fn.ready ?? 0} ready now, ${asked.off ? 'none' : `${environments} of ${reserved} reserved`} for this drop`,
        ),
        asked.off
          ? 'would keep nothing ready for it any more'
          : `would keep them ready from ${isoInstant(Math.max(from, now))} to ${isoInstant(to)}, billed as provisioned concurrency: ${((megabytes / 1_024) * ((to - Math.max(from, now)) / 3_600_000)).toFixed(0)} GB-hours`,
      ],
      go: async () => {
        for (const { fn, plan } of changes) await apply(deployment, fn, plan);
        return changes.map(({ fn, plan }) => {
          const steps = plan.steps.map(({ at, environments }) => `${environments} from ${isoInstant(at)}`);
          return `${fn.id}: ${[`${plan.ready} now`, ...steps].join(', ')}`;
        });
      },
    };
  },
};

async function apply(
  { aws }: Deployment,
  fn: WarmFunction,
  { ready, steps }: Warmth & { readonly ready: number },
): Promise<void> {
  const send = (operation: string, input: object) =>
    aws('application-autoscaling', operation, { ...scaled, ResourceId: fn.resource, ...input });
  // Both bounds: nothing but the schedule moves it.
  const exactly = (environments: number) => ({ MinCapacity: environments, MaxCapacity: environments });
  if (fn.ready !== ready) await send('RegisterScalableTarget', exactly(ready));
  for (const { name, at, environments } of steps) {
    await send('PutScheduledAction', {
      ScheduledActionName: name,
      Schedule: `at(${new Date(at).toISOString().slice(0, 19)})`,
      ScalableTargetAction: exactly(environments),
    });
  }
  // Last: whoever is interrupted here has too many ready, not too few.
  for (const step of fn.steps.filter(isOurs)) {
    if (!steps.some(({ name }) => name === step.name))
      await send('DeleteScheduledAction', { ScheduledActionName: step.name });
  }
}

function readArguments(args: readonly string[]) {
  const { values } = parseArgs({
    args: [...args],
    options: {
      drop: { type: 'string' },
      environments: { type: 'string' },
      lead: { type: 'string', default: '10' },
      minutes: { type: 'string' },
      off: { type: 'boolean', default: false },
    },
  });
  const { drop, off } = values;
  if (!drop) throw new UsageError('which drop?');
  const environments = Number(values.environments ?? Number.POSITIVE_INFINITY);
  const lead = Number(values.lead);
  const minutes = Number(values.minutes ?? Number.POSITIVE_INFINITY);
  if (!(environments >= 1 && (environments === Number.POSITIVE_INFINITY || Number.isInteger(environments))))
    throw new UsageError('--environments is a number of environments');
  if (!(lead >= 0 && minutes > 0)) throw new UsageError('--lead and --minutes are minutes');
  return { drop, off, environments, lead, minutes };
}
