import type { Now, Sleep } from '../../kernel/clock.ts';
import type { EventContract } from '../../kernel/contract.ts';
import type { Received } from '../../kernel/events.ts';
import { log } from '../../kernel/log.ts';
import { traceIdOf } from '../../kernel/trace.ts';
import { compose, type Email, type Letter } from '../domain/letter.ts';
import * as letters from '../domain/letters.ts';
import type { mailedEvents } from '../domain/mailed-events.ts';

/** One of them. */
export type MailEvent = ReceivedOf<(typeof mailedEvents)[number]>;
type ReceivedOf<E> = E extends EventContract ? Received<E> : never;

/** Asks for the right to send the e-mail of one event for a while. */
interface Claim {
  readonly eventId: string;
  readonly orderId: string;
  readonly type: string;
}

/** What came of asking for a claim. `owner` tells senders apart: a late release must not end another's lease. */
type ClaimResult =
  | { readonly state: 'claimed'; readonly owner: string }
  | { readonly state: 'leased' | 'done' };

export interface Ports {
  readonly now: Now;
  readonly sleep: Sleep;
  /** IANA time zone in which times are told. */
  readonly timeZone: string;
  readonly mailLog: {
    /** Claims the e-mail unless it is done with, or somebody else's lease runs still. Milliseconds since the epoch. */
    claim(claim: Claim, now: number, until: number): Promise<ClaimResult>;
    /** Ends the lease of `owner`, if it still has it. */
    release(eventId: string, owner: string): Promise<void>;
    markSent(eventId: string, messageId: string, at: number): Promise<void>;
    markNoRecipient(eventId: string, at: number): Promise<void>;
  };
  /** The customer's address; undefined when the account or its address is gone. */
  readonly addressOf: (customerId: string) => Promise<string | undefined>;
  /** Throws when nobody knows whether the e-mail was accepted. */
  readonly send: (
    email: Email & {
      readonly to: string;
      readonly orderId: string;
      readonly type: string;
      /** W3C trace id; undefined when the event has none. */
      readonly traceId: string | undefined;
    },
  ) => Promise<Sending>;
}

/** What the e-mail service answered for certain. */
export type Sending =
  | { readonly accepted: true; readonly messageId: string }
  | {
      readonly accepted: false;
      readonly code: string;
      /** There were too many at once: in a moment it may be taken. */
      readonly tooMany: boolean;
    };

/**
 * Longer than the function may run, so that a lease only ever ends on somebody who no longer sends. Milliseconds.
 */
const lease = 60_000;
/** How long one that came in too large a crowd is tried again here, and how soon: no rate is below one a second. */
const patience = 15_000;
const pause = 1_000;

/**
 * Sends the e-mail of one event.
 * 1. Claim it: what is sent already is skipped, what somebody else is sending comes back later.
 * 2. Look the address up; without one the e-mail is done with.
 * 3. Write and send it.
 *    Where there are too many at once it is tried again every second for a while: it would come back from the queue with
 *    all the others, minutes later, and not for ever.
 * 4. Mark it as sent. If certainly nothing was sent, the lease ends at once; if nobody knows, it runs out.
 *
 * At least once: a second copy goes out only if the sender ends, or loses the answer, between 3 and 4.
 */
export const sendMail =
  (ports: Ports) =>
  async (event: MailEvent): Promise<void> => {
    const now = ports.now();
    const { id, orderId, type } = event;
    const claim = await ports.mailLog.claim({ eventId: id, orderId, type }, now, now + lease);
    if (claim.state !== 'claimed') {
      if (claim.state === 'done') return;
      throw new Error(`the e-mail of ${id} is being sent`);
    }

    const email = await prepare(ports, event).catch(async (error) => {
      await ports.mailLog.release(id, claim.owner);
      throw error;
    });
    if (!email) {
      await ports.mailLog.markNoRecipient(id, ports.now());
      log.info('no recipient', { eventId: id });
      return;
    }

    const letter = { ...email, orderId, type, traceId: traceIdOf(event.traceparent) };
    const sending = await patiently(ports, letter, now + patience);
    if (!sending.accepted) {
      await ports.mailLog.release(id, claim.owner);
      throw new Error(`the e-mail service refused: ${sending.code}`);
    }
    await ports.mailLog.markSent(id, sending.messageId, ports.now());
  };

async function patiently(
  ports: Ports,
  letter: Parameters<Ports['send']>[0],
  until: number,
): Promise<Sending> {
  for (;;) {
    const sending = await ports.send(letter);
    if (sending.accepted || !sending.tooMany || ports.now() >= until) return sending;
    await ports.sleep(pause);
  }
}

async function prepare(ports: Ports, event: MailEvent): Promise<(Email & { to: string }) | undefined> {
  const to = await ports.addressOf(event.body.summary.customerId);
  return to === undefined ? undefined : { ...compose(letterFor(event, ports.timeZone)), to };
}

function letterFor(event: MailEvent, timeZone: string): Letter {
  const occasion = { summary: event.body.summary, at: event.at, timeZone };
  switch (event.type) {
    case 'payment.captured':
      return letters.orderConfirmation(occasion);
    case 'payment.declined':
      return letters.paymentDeclined(occasion, event.body.reason, event.body.retryUntil);
    case 'order.expired':
      return letters.orderExpired(occasion);
    case 'order.cancelled':
      return letters.orderCancelled(occasion, event.body.reason);
    case 'refund.completed':
      return letters.refund(occasion, event.body.amount, event.body.refundedTotal);
  }
}
