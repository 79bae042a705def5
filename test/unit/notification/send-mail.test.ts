import { beforeEach, describe, expect, test } from 'vitest';
import {
  type MailEvent,
  type Ports,
  type Sending,
  sendMail,
} from '../../../functions/notification/app/send-mail.ts';
import { sendMail as sendMailSpec } from '../../../functions/notification/handlers/send-mail.infra.ts';
import { eventsOf, summary } from './occasions.ts';

/** The mail log in memory, with the rules of the table's. */
function world() {
  const items = new Map<string, { state: string; leaseUntil: number; owner: string }>();
  const sent: { to: string; subject: string }[] = [];
  let owners = 0;
  const state = {
    now: Date.parse('2026-11-22T15:30:00.000Z'),
    address: 'kim@shop.test' as string | undefined,
    addressFails: false,
    /** What the e-mail service does with the next e-mails, in turn; it accepts the rest. */
    answers: [] as ('refuse' | 'too many' | 'accept and lose the answer')[],
    /** The sender ends before its mark this many times. */
    deaths: 0,
  };
  const die = () => {
    if (state.deaths === 0) return;
    state.deaths--;
    throw new Error('the sender is gone');
  };
  const ports: Ports = {
    now: () => state.now,
    sleep: async (milliseconds) => {
      state.now += milliseconds;
    },
    timeZone: 'Asia/Seoul',
    mailLog: {
      async claim({ eventId }, now, until) {
        const item = items.get(eventId);
        if (item && item.state !== 'sending') return { state: 'done' };
        if (item && item.leaseUntil > now) return { state: 'leased' };
        const owner = `owner-${++owners}`;
        items.set(eventId, { state: 'sending', leaseUntil: until, owner });
        return { state: 'claimed', owner };
      },
      async release(eventId, owner) {
        const item = items.get(eventId)!;
        if (item.owner === owner) item.leaseUntil = 0;
      },
      async markSent(eventId) {
        die();
        items.get(eventId)!.state = 'sent';
      },
      async markNoRecipient(eventId) {
        items.get(eventId)!.state = 'no-recipient';
      },
    },
    addressOf: async () => {
      if (state.addressFails) throw new Error('the pool does not answer');
      return state.address;
    },
    async send(email): Promise<Sending> {
      const answer = state.answers.shift();
      if (answer === 'refuse') return { accepted: false, code: 'MessageRejected', tooMany: false };
      if (answer === 'too many') return { accepted: false, code: 'TooManyRequestsException', tooMany: true };
      sent.push(email);
      if (answer) throw new Error('no answer');
      return { accepted: true, messageId: `message-${sent.length}` };
    },
  };
  return { state, sent, items, send: sendMail(ports) };
}

describe('sending', () => {
  const captured = eventsOf(summary)[0]!;
  let w: ReturnType<typeof world>;
  beforeEach(() => {
    w = world();
  });
  const stateOf = (event: MailEvent) => w.items.get(event.id)?.state;

  test('each kind of event is written about once, in the language of the order', async () => {
    for (const event of [...eventsOf(summary), ...eventsOf(summary)]) await w.send(event);
    expect(w.sent.map(({ subject }) => subject)).toEqual([
      '주문 FG-1001 결제가 완료되었습니다',
      '주문 FG-1001 결제가 완료되지 않았습니다',
      '주문 FG-1001 결제 기한이 지났습니다',
      '주문 FG-1001 취소 안내',
      '주문 FG-1001 환불 안내',
    ]);
    await w.send({ ...eventsOf({ ...summary, locale: 'en' })[4]!, id: 'evt_A2-8' });
    expect(w.sent.at(-1)).toMatchObject({ to: 'kim@shop.test', subject: 'Your refund for order FG-1001' });
  });

  test('two deliveries at once send one e-mail; the second comes back later and is then skipped', async () => {
    const results = await Promise.allSettled([w.send(captured), w.send(captured)]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await w.send(captured);
    expect(w.sent).toHaveLength(1);
  });

  test('refused: the lease ends at once and the next delivery sends', async () => {
    w.state.answers = ['refuse'];
    await expect(w.send(captured)).rejects.toThrow('MessageRejected');
    await w.send(captured);
    expect(w.sent).toHaveLength(1);
    expect(stateOf(captured)).toBe('sent');
  });

  test('one of too many at once waits its turn, in the same delivery', async () => {
    const begun = w.state.now;
    w.state.answers = Array(9).fill('too many');
    await w.send(captured);
    expect(w.sent).toHaveLength(1);
    expect(stateOf(captured)).toBe('sent');
    expect(w.state.now - begun).toBe(9_000);
  });

  test('one that finds too many for long goes back to the queue, before the function is at its limit', async () => {
    const begun = w.state.now;
    w.state.answers = Array(99).fill('too many');
    await expect(w.send(captured)).rejects.toThrow('TooManyRequestsException');
    // A last request may take ten seconds more.
    expect(w.state.now - begun).toBeLessThanOrEqual(1_000 * (sendMailSpec.timeoutSeconds ?? 0) - 10_000);
    w.state.answers = [];
    await w.send(captured);
    expect(w.sent).toHaveLength(1);
  });

  test('the address cannot be looked up: nothing was sent, so the next delivery may at once', async () => {
    w.state.addressFails = true;
    await expect(w.send(captured)).rejects.toThrow();
    w.state.addressFails = false;
    await w.send(captured);
    expect(w.sent).toHaveLength(1);
  });

  test.each([
    ['ends between the acceptance and its mark', { deaths: 1 }],
    ['loses the answer of the e-mail service', { answers: ['accept and lose the answer' as const] }],
  ])('a sender that %s: held back by its lease, then one more copy and no further', async (_, fault) => {
    Object.assign(w.state, fault);
    await expect(w.send(captured)).rejects.toThrow();
    w.state.now += 59_999;
    await expect(w.send(captured)).rejects.toThrow('is being sent');
    expect(w.sent).toHaveLength(1);

    w.state.now += 1;
    await w.send(captured);
    w.state.now += 3_600_000;
    await w.send(captured);
    expect(w.sent).toHaveLength(2);
  });

  test('a customer who is gone: done with, not tried again', async () => {
    w.state.address = undefined;
    await w.send(captured);
    expect(stateOf(captured)).toBe('no-recipient');
    w.state.address = 'kim@shop.test';
    await w.send(captured);
    expect(w.sent).toHaveLength(0);
  });
});
