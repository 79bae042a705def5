import type { SQSEvent } from 'aws-lambda';
import { describe, expect, it, vi } from 'vitest';
import * as z from 'zod/mini';
import { event } from '../../../functions/kernel/contract.ts';
import { eventConsumer, receive, storedEventOf } from '../../../functions/kernel/events.ts';
import { count, log, measure, trail } from '../../../functions/kernel/log.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({
  log: { error: vi.fn(), warn: vi.fn() },
  count: vi.fn(),
  measure: vi.fn(),
  trail: vi.fn(),
}));

const paid = event({
  source: 'floodgate.order',
  type: 'payment.captured',
  version: 1,
  summary: 'Money came',
  body: z.object({ attempt: z.int(), note: z._default(z.string(), 'none') }),
});
const expired = event({
  source: 'floodgate.order',
  type: 'order.expired',
  version: 2,
  summary: 'Time is up',
  body: z.object({ reason: z.string() }),
});

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const stored = (seq: number, body: { attempt: number } = { attempt: 1 }) =>
  storedEventOf(paid, { orderId: 'ord_A', seq, at: Date.UTC(2026, 0, 2), traceparent, body });

function message(detail: object, extra: object = {}): string {
  return JSON.stringify({ source: 'floodgate.order', 'detail-type': 'x', detail, ...extra });
}

function batch(...bodies: string[]): SQSEvent {
  return {
    Records: bodies.map((body, index) => ({
      messageId: `m${index}`,
      body,
      attributes: { ApproximateReceiveCount: String(index + 1) },
    })),
  } as unknown as SQSEvent;
}

describe('a stored event', () => {
  it('is flat, with an id of its own made of order and sequence number', () => {
    expect(stored(3)).toEqual({
      id: 'evt_A-3',
      type: 'payment.captured',
      version: 1,
      orderId: 'ord_A',
      seq: 3,
      at: '2026-01-02T00:00:00.000Z',
      traceparent,
      body: '{"attempt":1,"note":"none"}',
    });
  });

  it('cannot break its contract', () => {
    expect(() => stored(3, { attempt: 1.5 })).toThrow();
  });
});

describe('a received event', () => {
  it('has its body parsed, and says whether it is a replay', () => {
    const received = receive([expired, paid], message(stored(3)));
    expect(received).toMatchObject({ id: 'evt_A-3', type: 'payment.captured', replayed: false, receives: 1 });
    expect(received.body).toEqual({ attempt: 1, note: 'none' });
    expect(receive([paid], message(stored(3), { 'replay-name': 'r' })).replayed).toBe(true);
  });

  it('takes numbers as the pipe writes them, as text', () => {
    const { seq, version } = receive([paid], message({ ...stored(3), seq: '3', version: '1' }));
    expect([seq, version]).toEqual([3, 1]);
  });

  it.each([
    ['of a type that is not consumed', message({ ...stored(1), type: 'order.placed' })],
    ['of another source', message(stored(1), { source: 'floodgate.payment' })],
    ['whose body breaks the contract', message({ ...stored(1), body: '{"attempt":"one"}' })],
    ['whose body is not JSON', message({ ...stored(1), body: '{' })],
    ['without an id', message({ ...stored(1), id: undefined })],
    ['that is not JSON', 'hello'],
  ])('is refused: one %s', (_, text) => {
    expect(() => receive([paid, expired], text)).toThrow();
  });
});

describe('an event consumer', () => {
  const traced = '0af7651916cd43dd8448eb211c80319c';
  const age = (body: string, receives: number) => {
    const [record] = batch(body).Records;
    return {
      Records: [{ ...record!, attributes: { ApproximateReceiveCount: String(receives) } }],
    } as SQSEvent;
  };

  it('measures how long each event was under way, and names its trace, in one line', async () => {
    vi.useFakeTimers({ now: Date.UTC(2026, 0, 2, 0, 1, 1) });
    vi.mocked(measure).mockClear();
    await eventConsumer([paid], async () => {})(batch(message(stored(1))));
    expect(vi.mocked(measure).mock.calls).toEqual([
      [
        { DeliverySeconds: [61], DeliveredLate: [1] },
        { took: [{ id: 'evt_A-1', trace: traced }] },
        Date.now(),
      ],
    ]);
    vi.useRealTimers();
  });

  it('measures neither a second receipt nor a replay', async () => {
    vi.mocked(measure).mockClear();
    vi.mocked(trail).mockClear();
    const consume = eventConsumer([paid], async () => {});
    await consume(age(message(stored(1)), 2));
    await consume(age(message(stored(1), { 'replay-name': 'again' }), 1));
    expect(measure).not.toHaveBeenCalled();
    expect(trail).toHaveBeenCalledTimes(2);
  });

  it('leaves no trail of a trace that is not recorded', async () => {
    vi.mocked(trail).mockClear();
    const unrecorded = { ...stored(1), traceparent: traceparent.replace(/01$/, '00') };
    await eventConsumer([paid], async () => {})(age(message(unrecorded), 2));
    expect(trail).not.toHaveBeenCalled();
  });

  it('consumes every record and gives back none', async () => {
    const seen: string[] = [];
    const consume = eventConsumer([paid], async ({ id, receives }) => {
      seen.push(`${id} ${receives}`);
    });
    expect(await consume(batch(message(stored(1)), message(stored(2))))).toEqual({ batchItemFailures: [] });
    expect(seen.sort()).toEqual(['evt_A-1 1', 'evt_A-2 2']);
  });

  it('gives back the records that failed, and those only', async () => {
    const consume = eventConsumer([paid], async ({ seq }) => {
      if (seq === 2) throw new Error('the table is busy');
    });
    const answer = await consume(batch(message(stored(1)), message(stored(2)), 'hello', message(stored(4))));
    expect(answer.batchItemFailures).toEqual([{ itemIdentifier: 'm1' }, { itemIdentifier: 'm2' }]);
    expect(log.error).toHaveBeenCalledTimes(2);
    expect(count).toHaveBeenCalledTimes(2);
  });
});
