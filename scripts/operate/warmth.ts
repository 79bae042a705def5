import { functionId } from '../../lib/constructs/bundle.ts';
import type { FunctionSpec } from '../../lib/constructs/function-spec.ts';
import { functions } from '../../lib/stacks/specs.ts';
import type { Deployment } from './deployment.ts';

/** From then on so many environments are kept ready. */
export interface Step {
  readonly name: string;
  /** Milliseconds since the epoch, on the second. */
  readonly at: number;
  readonly environments: number;
}

/** What is kept ready for a drop, from one instant to another. */
export interface Window {
  readonly drop: string;
  readonly from: number;
  readonly to: number;
  readonly environments: number;
}

export interface Warmth {
  /** Environments that are ready now; undefined where none ever were. */
  readonly ready: number | undefined;
  /** Ahead, the next first. */
  readonly steps: readonly Step[];
}

/** A function on the path of a drop. */
export interface WarmFunction extends Warmth {
  readonly spec: FunctionSpec;
  readonly id: string;
  /** As Application Auto Scaling names its alias: `function:<name>:<alias>`. */
  readonly resource: string;
}

/** What every call to Application Auto Scaling says of a function. */
export const scaled = {
  ServiceNamespace: 'lambda',
  ScalableDimension: 'lambda:function:ProvisionedConcurrency',
};

/** What is read of a scheduled action. */
interface ScheduledAction {
  readonly ScheduledActionName: string;
  readonly Schedule: string;
  readonly ScalableTargetAction: { readonly MinCapacity: number };
}

/** @throws Error for a stage that was deployed before its functions had aliases */
export async function readWarmth(deployment: Deployment): Promise<readonly WarmFunction[]> {
  const now = await deployment.now();
  const aliases = deployment.resources('AWS::Lambda::Alias');
  const ask = (operation: string, input: object) =>
    deployment.aws('application-autoscaling', operation, { ...scaled, ...input });
  const found: WarmFunction[] = [];
  // One after the other: the service takes few calls a second.
  for (const spec of functions.filter(({ warm }) => warm)) {
    const id = functionId(spec);
    const begin = `${spec.name.replaceAll('-', '')}live`;
    const alias = aliases.find(({ logicalId }) => logicalId.toLowerCase().startsWith(begin));
    if (!alias) throw new Error(`${id} has no alias in ${deployment.stage}: deploy this version first`);
    const resource = alias.ref.split(':').slice(-3).join(':');
    const { ScalableTargets } = await ask('DescribeScalableTargets', { ResourceIds: [resource] });
    const { ScheduledActions } = await ask('DescribeScheduledActions', { ResourceId: resource });
    const steps = (ScheduledActions as readonly ScheduledAction[])
      .map(({ ScheduledActionName: name, Schedule, ScalableTargetAction }) => ({
        name,
        at: Date.parse(`${/^at\((.+)\)$/.exec(Schedule)?.[1]}Z`),
        environments: ScalableTargetAction.MinCapacity,
      }))
      // What has run says nothing about what is to come.
      .filter(({ at }) => at > now)
      .sort((a, b) => a.at - b.at);
    found.push({ spec, id, resource, ready: ScalableTargets[0]?.MinCapacity, steps });
  }
  return found;
}

/** The fewest environments that are ready from one instant, now or later, to another. */
export function readyDuring({ ready = 0, steps }: Warmth, from: number, to: number): number {
  const atFirst = steps.findLast(({ at }) => at <= from)?.environments ?? ready;
  const meanwhile = steps.filter(({ at }) => at > from && at < to);
  return Math.min(atFirst, ...meanwhile.map(({ environments }) => environments));
}

/** The last step of a window names all of it: an action that has run is gone. */
const stepName = /^(?<drop>drp_\w+) (?<environments>\d+) from (?<from>\d+) (?<kind>warm|cool)$/;

/** Whether a step is of this lever's making. */
export const isOurs = ({ name }: Step): boolean => stepName.test(name);

/** The windows that are not over yet. */
export function windowsOf(steps: readonly Step[]): Window[] {
  return steps.flatMap(({ name, at }) => {
    const { drop = '', environments, from, kind } = stepName.exec(name)?.groups ?? {};
    if (kind !== 'cool') return [];
    return [{ drop, from: Number(from) * 1_000, to: at, environments: Number(environments) }];
  });
}

/** Keeps ready, at any time, what the window wants that wants most then. */
export function warmthOf(windows: readonly Window[], now: number): Warmth & { readonly ready: number } {
  const wanted = (at: number) =>
    Math.max(0, ...windows.filter(({ from, to }) => from <= at && at < to).map((one) => one.environments));
  const steps = windows.flatMap(({ drop, from, to, environments }) => {
    const name = `${drop} ${environments} from ${from / 1_000}`;
    return [
      { name: `${name} warm`, at: from },
      { name: `${name} cool`, at: to },
    ];
  });
  return {
    ready: wanted(now),
    steps: steps
      .filter(({ at }) => at > now)
      .map((step) => ({ ...step, environments: wanted(step.at) }))
      .sort((a, b) => a.at - b.at),
  };
}
