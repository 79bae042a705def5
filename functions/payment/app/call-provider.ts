import type { Now } from '../../kernel/clock.ts';
import { log } from '../../kernel/log.ts';
import type { ProviderCommand, ProviderOutcome } from '../contract.ts';
import { holdsAnotherAmount, maySend, outcomeIn, outcomeOfNothing } from '../domain/outcome.ts';
import { type Charge, OutcomeUnknown, type PaymentProvider, ProviderRefused } from '../domain/provider.ts';

interface Ports {
  readonly provider: PaymentProvider;
  readonly now: Now;
}

/** It cannot be told what happened. The state machine retries by this name, with the same command. */
class ProviderUnavailable extends Error {
  override readonly name = 'provider-unavailable';
}

/**
 * Makes one money call and says what is certain afterwards:
 * 1. a resumed command, or one too old to send, asks the provider by our reference; what happened is the outcome;
 * 2. a command too old to send ends there;
 * 3. otherwise it is sent once, with an idempotency key of its own;
 * 4. without a clear answer the provider is asked by our reference, once;
 * 5. an authorisation of another amount than ours is given back and counts as declined.
 * @throws Error named `provider-unavailable` when the outcome is still unknown
 */
export const callProvider =
  ({ provider, now }: Ports) =>
  async (command: ProviderCommand): Promise<ProviderOutcome> => {
    try {
      const sendable = maySend(command, now());
      const known = command.ask || !sendable ? await provider.find(command.reference) : undefined;
      const before = known && (await settle(provider, command, known));
      if (before) return before;
      if (!sendable) return outcomeOfNothing(command, known);

      const answer = await sendOnce(provider, command, known);
      const charge = isCharge(answer) ? answer : await provider.find(command.reference);
      const outcome = charge && (await settle(provider, command, charge));
      if (outcome) return outcome;
      if (answer instanceof ProviderRefused) return refusalOf(command, answer.code);
      throw new OutcomeUnknown('neither the answer nor the book of the provider shows what happened');
    } catch (error) {
      if (!(error instanceof OutcomeUnknown || error instanceof ProviderRefused)) throw error;
      throw new ProviderUnavailable(`${command.step} ${command.reference}: ${error.message}`);
    }
  };

async function sendOnce(
  provider: PaymentProvider,
  command: ProviderCommand,
  known: Charge | undefined,
): Promise<Charge | ProviderRefused | OutcomeUnknown> {
  try {
    return await send(provider, command, known);
  } catch (error) {
    if (!(error instanceof OutcomeUnknown || error instanceof ProviderRefused)) throw error;
    log.warn('no clear yes from the provider', {
      step: command.step,
      reference: command.reference,
      error: error.name,
      reason: error.message,
    });
    return error;
  }
}

async function send(
  provider: PaymentProvider,
  command: ProviderCommand,
  known: Charge | undefined,
): Promise<Charge> {
  const { reference, amount, attempted } = command;
  const idempotencyKey = `${reference}-${command.step}${attempted === undefined ? '' : `-${attempted}`}`;
  switch (command.step) {
    case 'authorise': {
      const { token, paymentKey } = command;
      const source =
        token === undefined
          ? { kind: 'browser' as const, paymentKey: paymentKey ?? '' }
          : { kind: 'token' as const, token };
      return provider.authorise({ reference, amount, source, idempotencyKey });
    }
    case 'capture': {
      const authorizationId = command.authorizationId ?? (known ?? (await provider.find(reference)))?.id;
      if (!authorizationId) throw new ProviderRefused('no-authorization', 'there is nothing to capture');
      return provider.capture({ authorizationId, amount, idempotencyKey });
    }
    case 'void': {
      const authorizationId = command.authorizationId ?? (known ?? (await provider.find(reference)))?.id;
      // The authorisation may still be on its way to the provider; to say "voided" now would be a guess.
      if (!authorizationId) throw new OutcomeUnknown('there is no authorisation to void yet');
      return provider.void({ authorizationId, idempotencyKey });
    }
    case 'refund': {
      const { refundId } = command;
      const captureId = command.captureId ?? (known ?? (await provider.find(reference)))?.captureId;
      if (!captureId) throw new ProviderRefused('no-capture', 'there is nothing to refund');
      return provider.refund({
        captureId,
        refundId,
        amount,
        idempotencyKey: `${idempotencyKey}-${refundId}`,
      });
    }
  }
}

/** The outcome that `charge` shows; undefined while the command has not happened and still may. */
async function settle(
  provider: PaymentProvider,
  command: ProviderCommand,
  charge: Charge,
): Promise<ProviderOutcome | undefined> {
  if (!holdsAnotherAmount(command, charge)) return outcomeIn(charge, command, provider.name);
  log.error('the provider holds another amount than asked', { reference: command.reference });
  const after = await giveBack(provider, charge);
  return holdsAnotherAmount(command, after) ? undefined : outcomeIn(after, command, provider.name);
}

/** Sent at any age: the book has just shown that it has not happened yet. */
function giveBack(provider: PaymentProvider, charge: Charge): Promise<Charge> {
  const { reference, amount, captureId } = charge;
  if (captureId === undefined) {
    return provider.void({ authorizationId: charge.id, idempotencyKey: `${reference}-void` });
  }
  const refundId = `${reference}-mismatch`;
  return provider.refund({ captureId, refundId, amount, idempotencyKey: `${reference}-refund-${refundId}` });
}

function refusalOf(command: ProviderCommand, reason: string): ProviderOutcome {
  return command.step === 'authorise'
    ? { step: command.step, outcome: 'declined', reason }
    : { step: command.step, outcome: 'failed', reason };
}

function isCharge(answer: Charge | ProviderRefused | OutcomeUnknown): answer is Charge {
  return !(answer instanceof Error);
}
