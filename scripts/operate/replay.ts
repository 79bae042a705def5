import { parseArgs } from 'node:util';
import { isoInstant } from '../../functions/kernel/clock.ts';
import type { Deployment, Found } from './deployment.ts';
import { type Lever, UsageError } from './lever.ts';

/** Gives the consumers that accept replays the events of a time once more. */
export const replay: Lever = {
  summary: 'sends the archived events of a time to the consumers again; those who have them change nothing',
  usage: '--from <instant> [--to <instant>] [--rule <part of the rule’s name>]',
  async plan(deployment, args) {
    const { values } = parseArgs({
      args: [...args],
      options: { from: { type: 'string' }, to: { type: 'string' }, rule: { type: 'string' } },
    });
    const from = Date.parse(values.from ?? '');
    const now = await deployment.now();
    const to = values.to === undefined ? now : Date.parse(values.to);
    if (!(from < to && to <= now))
      throw new UsageError('--from and --to are instants of the past, in this order');
    const archive = only(deployment, 'AWS::Events::Archive');
    const bus = only(deployment, 'AWS::Events::EventBus');
    const rules = deployment
      .resources('AWS::Events::Rule')
      .filter(({ logicalId }) => logicalId.toLowerCase().includes((values.rule ?? '').toLowerCase()));
    if (rules.length === 0) throw new UsageError(`no rule has ${values.rule} in its name`);
    const arn = (path: string) => `arn:aws:events:${deployment.region}:${deployment.account}:${path}`;
    const window = `${isoInstant(from)} to ${isoInstant(to)}`;
    return {
      says: [
        `archive ${archive.ref}, ${window}`,
        `would send its events to ${values.rule === undefined ? 'every rule' : rules.map(({ logicalId }) => logicalId).join(', ')}; rules of side effects (e-mail) take no replays`,
      ],
      go: async () => {
        const ReplayName = `operate-${now}`;
        await deployment.aws('events', 'StartReplay', {
          ReplayName,
          EventSourceArn: arn(`archive/${archive.ref}`),
          EventStartTime: from / 1_000,
          EventEndTime: to / 1_000,
          Destination: {
            Arn: arn(`event-bus/${bus.ref}`),
            ...(values.rule !== undefined && {
              FilterArns: rules.map(({ ref }) => arn(`rule/${ref.replace('|', '/')}`)),
            }),
          },
        });
        const { State } = await deployment.aws('events', 'DescribeReplay', { ReplayName });
        return [`Replay ${ReplayName} of ${window}: ${String(State).toLowerCase()}.`];
      },
    };
  },
};

function only(deployment: Deployment, type: string): Found {
  const found = deployment.resources(type);
  if (found.length !== 1) throw new Error(`there are ${found.length} resources ${type}, not one`);
  return found[0]!;
}
