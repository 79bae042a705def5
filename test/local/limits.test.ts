import { describe, expect, it } from 'vitest';
import { TableThroughputs } from '../../local/dynamodb-throughput.ts';
import { createEvents } from '../../local/events.ts';
import { createLimits, type LimitOptions } from '../../local/limits.ts';
import { createSes } from '../../local/ses.ts';
import { throttled } from '../../local/throttling.ts';
import type { Caller } from '../../local/types.ts';
import { fakeRuntime, manualClock, resource } from './support/runtime.ts';

const role: Caller = { kind: 'role', roleArn: 'arn:aws:iam::111122223333:role/fn' };

describe('a limit', () => {
  it('is a bucket of one second on the clock, unless told what it holds', async () => {
    const clock = manualClock();
    const limits = createLimits(clock, { factors: { 'cognito-idp.signInRate': 0.1 } });
    const taken = (count: number) =>
      Array.from({ length: count }, () => limits.take('cognito-idp.signInRate')).filter(Boolean).length;
    expect(taken(20)).toBe(12);
    await clock.advance(500);
    expect(taken(20)).toBe(6);
    const standard = { burst: 'states.standardStartBurst' };
    expect(limits.take('states.standardStartRate', { ...standard, count: 1_300 })).toBe(true);
    expect(limits.take('states.standardStartRate', standard)).toBe(false);
  });

  it('is not imposed unless asked for, and never less than one', () => {
    const limits = createLimits(manualClock(), undefined);
    expect(limits.take('ses.sendRate', { count: 1_000 })).toBe(true);
    const tiny = createLimits(manualClock(), { factors: { '*': 0.001 } });
    expect([tiny.take('ses.sendRate'), tiny.take('ses.sendRate')]).toEqual([true, false]);
  });

  it.each([[{ 'ses.rate': 1 }], [{ ses: 0 }]])('takes no factors %o', (factors) => {
    expect(() => createLimits(manualClock(), { factors })).toThrow();
  });
});

describe('services answer as AWS does, and the meter counts it', () => {
  const throttles = (runtime: ReturnType<typeof fakeRuntime>) =>
    runtime.meter.read().lines.filter(({ counts }) => counts.throttles);

  it('SES', async () => {
    const identity = resource('AWS::SES::EmailIdentity', 'shop.example', { EmailIdentity: 'shop.example' });
    const runtime = fakeRuntime({ resources: [identity], limits: {} });
    const ses = runtime.use(createSes);
    const mail = (count: number) => ({
      FromEmailAddress: 'a@shop.example',
      Destination: { ToAddresses: Array.from({ length: count }, (_, at) => `${at}@example.com`) },
      Content: { Simple: { Subject: { Data: 's' }, Body: { Text: { Data: 't' } } } },
    });
    await ses.call('SendEmail', mail(14), role);
    await expect(ses.call('SendEmail', mail(1), role)).rejects.toMatchObject({
      code: 'TooManyRequestsException',
      status: 429,
    });
    expect(throttles(runtime)).toMatchObject([{ service: 'ses', counts: { throttles: 1 } }]);
  });

  it('PutEvents, entry by entry', async () => {
    const bus = resource('AWS::Events::EventBus', 'bus');
    const runtime = fakeRuntime({ resources: [bus], limits: { factors: { events: 0.000_35 } } });
    const events = runtime.use(createEvents);
    const Entries = Array.from({ length: 5 }, () => ({
      EventBusName: 'bus',
      Source: 's',
      DetailType: 't',
      Detail: '{}',
    }));
    const answer = await events.call('PutEvents', { Entries }, role);
    expect(answer.FailedEntryCount).toBe(2);
    expect(answer.Entries.slice(3)).toMatchObject([
      { ErrorCode: 'ThrottlingException' },
      { ErrorCode: 'ThrottlingException' },
    ]);
    await expect(events.call('PutEvents', { Entries }, role)).rejects.toMatchObject({
      code: 'ThrottlingException',
    });
  });
});

it('is counted where it happened, not by those who pass it on', async () => {
  const runtime = fakeRuntime({ limits: {} });
  const crossing = (operation: string) => ({
    kind: 'call' as const,
    service: 'ses',
    operation,
    resources: [],
    by: 'fn',
    input: {},
  });
  const inner = () =>
    runtime.boundary.pass(crossing('inner'), async () => {
      throw throttled('ses', 'SendEmail');
    });
  await expect(runtime.boundary.pass(crossing('outer'), inner)).rejects.toThrow();
  expect(runtime.meter.read().lines.map(({ operation }) => operation)).toEqual(['inner']);
});

describe('a table', () => {
  const orders = resource('AWS::DynamoDB::Table', 'orders', {
    KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
    GlobalSecondaryIndexes: [{ IndexName: 'due', KeySchema: [{ AttributeName: 'slot', KeyType: 'HASH' }] }],
  });
  const start = (options: LimitOptions = { factors: { dynamodb: 0.01 } }) => {
    const clock = manualClock();
    const tables = new TableThroughputs([orders], createLimits(clock, options), clock);
    const touch = (pk: string) => ({ action: 'PutItem', table: 'orders', key: { pk: { S: pk } } });
    const put = (pk: string, slot?: string) =>
      tables.admit('PutItem', { Item: { pk: { S: pk }, ...(slot && { slot: { S: slot } }) } }, [touch(pk)]);
    /** How many of these writes pass. */
    const passing = (keys: readonly string[], slot?: string) =>
      keys.filter((pk) => {
        try {
          put(pk, slot);
          return true;
        } catch {
          return false;
        }
      }).length;
    return { clock, tables, put, passing, touch };
  };
  const spread = (count: number, prefix = 'k') => Array.from({ length: count }, (_, at) => `${prefix}${at}`);
  const same = (count: number) => Array.from({ length: count }, () => 'hot');

  it('takes a thousandth part of 1,000 units a second of one key, and says which limit was met', async () => {
    const { clock, put, passing } = start();
    expect(passing(same(30))).toBe(10);
    expect(() => put('hot')).toThrow(
      expect.objectContaining({
        code: 'ThrottlingException',
        members: {
          ThrottlingReasons: [{ reason: 'TableWriteKeyRangeThroughputExceeded', resource: orders.arn }],
        },
      }),
    );
    await clock.advance(1_000);
    expect(passing(same(30))).toBe(10);
  });

  it('takes 4,000 a second in all at its start, and twice its peak half an hour later', async () => {
    const { clock, passing } = start();
    expect(passing(spread(200))).toBeLessThanOrEqual(40);
    // Many partitions by heat, so that only the table's own rate is left to meet.
    for (let second = 0; second < 31 * 60; second++) {
      await clock.advance(1_000);
      passing(spread(60, `${second} `));
    }
    await clock.advance(1_000);
    const grown = passing(spread(300, 'late'));
    expect(grown).toBeGreaterThan(55);
    expect(grown).toBeLessThanOrEqual(80);
  });

  it('splits what is busy for a minute, but one key alone stays as it is', async () => {
    const { clock, tables, passing } = start();
    for (let second = 0; second < 130; second++) {
      await clock.advance(1_000);
      passing(same(30));
    }
    expect(tables.partitionsOf('orders')).toBe(4);
    for (let second = 0; second < 130; second++) {
      await clock.advance(1_000);
      passing(spread(60, `${second} `));
    }
    expect(tables.partitionsOf('orders')).toBeGreaterThan(6);
  });

  it('is held up by a hot key of its index', () => {
    const { passing } = start();
    expect(passing(spread(30), 'same slot')).toBe(10);
  });

  it('names the actions of a transaction, and holds nothing for one that is cancelled', () => {
    const { tables, passing, touch } = start();
    expect(passing(same(9))).toBe(9);
    const input = { TransactItems: ['cold', 'hot'].map((pk) => ({ Put: { Item: { pk: { S: pk } } } })) };
    for (let attempt = 0; attempt < 50; attempt++) {
      expect(() => tables.admit('TransactWriteItems', input, [touch('cold'), touch('hot')])).toThrow(
        expect.objectContaining({
          code: 'TransactionCanceledException',
          members: {
            CancellationReasons: [{ Code: 'None' }, expect.objectContaining({ Code: 'ThrottlingError' })],
          },
        }),
      );
    }
    expect(passing(['cold', 'cold'])).toBe(2);
  });

  it('lets a batch go on without the entries that have to wait', () => {
    const { tables, passing, touch } = start();
    passing(same(10));
    const { admitted } = tables.admit('BatchWriteItem', {}, [touch('hot'), touch('cold')]);
    expect(admitted).toEqual([false, true]);
    expect(() => tables.admit('BatchWriteItem', {}, [touch('hot')])).toThrow(
      expect.objectContaining({ code: 'ThrottlingException' }),
    );
  });

  it('takes what a request turns out to cost', () => {
    const { tables, put, passing } = start();
    tables.settle(put('hot').holds, [{ table: 'orders', units: 8 }]);
    expect(passing(same(9))).toBe(2);
  });
});
