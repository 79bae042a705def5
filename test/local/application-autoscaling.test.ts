import { expect, test } from 'vitest';
import { createApplicationAutoScaling } from '../../local/application-autoscaling.ts';
import { functionArn } from './support/functions.ts';
import { type FakeRuntime, fakeRuntime, operator, resource } from './support/runtime.ts';

const ResourceId = 'function:fn:live';
const of = { ServiceNamespace: 'lambda', ScalableDimension: 'lambda:function:ProvisionedConcurrency' };
const exactly = (environments: number) => ({ MinCapacity: environments, MaxCapacity: environments });
const at = (time: string) => `at(2026-11-22T${time})`;
const minute = 60_000;

function start(runtime: FakeRuntime = newRuntime()) {
  const provisioned: number[] = [];
  runtime.answer('lambda', (operation, { FunctionName, Qualifier, ProvisionedConcurrentExecutions }) => {
    expect([FunctionName, Qualifier]).toEqual(['fn', 'live']);
    expect(operation).toBe(
      `${ProvisionedConcurrentExecutions > 0 ? 'Put' : 'Delete'}ProvisionedConcurrencyConfig`,
    );
    provisioned.push(ProvisionedConcurrentExecutions);
    return {};
  });
  const service = runtime.use(createApplicationAutoScaling);
  const call = (operation: string, input: object = {}) =>
    service.call(operation, { ...of, ResourceId, ...input }, operator);
  const schedule = (ScheduledActionName: string, Schedule: string, environments: number) =>
    call('PutScheduledAction', {
      ScheduledActionName,
      Schedule,
      ScalableTargetAction: exactly(environments),
    });
  return { runtime, service, provisioned, call, schedule };
}

function newRuntime(): FakeRuntime {
  const arn = functionArn('fn:live');
  return fakeRuntime({ resources: [resource('AWS::Lambda::Alias', 'live', { Name: 'live' }, arn, arn)] });
}

test('a registered target is brought within its bounds at once', async () => {
  const { call, provisioned } = start();
  await call('RegisterScalableTarget', { MinCapacity: 2, MaxCapacity: 5 });
  await call('RegisterScalableTarget', exactly(0));
  expect(provisioned).toEqual([2, 0]);
  expect(await call('DescribeScalableTargets', { ResourceIds: [ResourceId] })).toEqual({
    ScalableTargets: [{ ...of, ResourceId, ...exactly(0) }],
  });
  expect(await call('DescribeScalableTargets', { ResourceIds: ['function:other:live'] })).toEqual({
    ScalableTargets: [],
  });
});

test('what is scheduled happens at its time, once, and is gone', async () => {
  const { call, schedule, provisioned, runtime, service } = start();
  await call('RegisterScalableTarget', exactly(0));
  await service.start!();
  await schedule('cool', at('02:00:00'), 0);
  await schedule('warm', at('01:00:00'), 40);
  await schedule('warm', at('01:00:00'), 50);
  const { ScheduledActions } = await call('DescribeScheduledActions');
  expect(ScheduledActions).toEqual([
    {
      ...{ ...of, ResourceId, ScheduledActionName: 'warm', Schedule: at('01:00:00') },
      ScalableTargetAction: exactly(50),
    },
    {
      ...{ ...of, ResourceId, ScheduledActionName: 'cool', Schedule: at('02:00:00') },
      ScalableTargetAction: exactly(0),
    },
  ]);
  provisioned.length = 0;
  await runtime.clock.advance(59 * minute);
  expect(provisioned).toEqual([]);
  await runtime.clock.advance(2 * minute);
  expect(provisioned).toEqual([50]);
  expect((await call('DescribeScheduledActions')).ScheduledActions).toHaveLength(1);
  await runtime.clock.advance(60 * minute);
  expect(provisioned).toEqual([50, 0]);
  expect((await call('DescribeScalableTargets')).ScalableTargets).toMatchObject([exactly(0)]);
});

test('a restart finds what is ready and what came due meanwhile', async () => {
  const first = start();
  await first.call('RegisterScalableTarget', exactly(0));
  await first.schedule('warm', at('01:00:00'), 7);
  await first.schedule('cool', at('02:00:00'), 0);
  await first.service.stop!();
  await first.runtime.clock.advance(61 * minute);
  const second = start(first.runtime.restart());
  await second.service.start!();
  await expect.poll(() => second.provisioned.at(-1)).toBe(7);
  await second.runtime.clock.advance(60 * minute);
  expect(second.provisioned.at(-1)).toBe(0);
});

test('a deleted action does not happen; another time, it is not found', async () => {
  const { call, schedule, provisioned, runtime } = start();
  await call('RegisterScalableTarget', exactly(0));
  await schedule('warm', at('01:00:00'), 7);
  await call('DeleteScheduledAction', { ScheduledActionName: 'warm' });
  await runtime.clock.advance(120 * minute);
  expect(provisioned).toEqual([0]);
  await expect(call('DeleteScheduledAction', { ScheduledActionName: 'warm' })).rejects.toMatchObject({
    code: 'ObjectNotFoundException',
  });
});

test('what Lambda refuses is logged, and the schedule goes on', async () => {
  const { call, runtime } = start();
  runtime.answer('lambda', () => {
    throw new Error('too many');
  });
  await call('RegisterScalableTarget', exactly(5_000));
  expect(runtime.logs.join()).toContain('function:fn:live to 5000');
});

test.each<[string, string, object]>([
  ['an alias that there is not', 'RegisterScalableTarget', { ResourceId: 'function:no:live', ...exactly(1) }],
  ['bounds in the wrong order', 'RegisterScalableTarget', { MinCapacity: 2, MaxCapacity: 1 }],
  ['a target without bounds', 'RegisterScalableTarget', {}],
  ['another service', 'RegisterScalableTarget', { ServiceNamespace: 'ecs', ...exactly(1) }],
])('%s is refused', async (_what, operation, input) => {
  await expect(start().call(operation, input)).rejects.toMatchObject({ code: 'ValidationException' });
});

test('an action needs a target, a name and a time to come', async () => {
  const { call, schedule } = start();
  await expect(schedule('warm', at('01:00:00'), 1)).rejects.toMatchObject({
    code: 'ObjectNotFoundException',
  });
  await call('RegisterScalableTarget', exactly(0));
  for (const expression of ['at(2026-11-21T00:00:00)', 'rate(1 hour)'])
    await expect(schedule('warm', expression, 1)).rejects.toMatchObject({ code: 'ValidationException' });
  await expect(schedule('', at('01:00:00'), 1)).rejects.toMatchObject({ code: 'ValidationException' });
  await expect(call('PutScalingPolicy')).rejects.toMatchObject({ code: 'UnknownOperationException' });
});
