import { describe, expect, it } from 'vitest';
import {
  OutcomeUnknown,
  type PaymentProvider,
  ProviderRefused,
} from '../../../functions/payment/domain/provider.ts';
import { usd } from './memory-provider.ts';

/** A provider under test, with what it takes for the cards of the suite. */
interface Subject {
  readonly provider: PaymentProvider;
  readonly cards: { readonly approved: string; readonly declined: string; readonly captureFails: string };
  /** From now on the provider does what it is asked, and its answers are lost. */
  loseAnswers(): void;
}

/** What every adapter of the provider port owes the use case. */
export function providerContract(name: string, subject: () => Subject): void {
  let orders = 0;
  const newReference = () => `ord_Contract${++orders}-1`;

  const authorise = (
    { provider, cards }: Subject,
    reference: string,
    card: keyof Subject['cards'] = 'approved',
  ) =>
    provider.authorise({
      reference,
      amount: usd(1000),
      source: { kind: 'token', token: cards[card] },
      idempotencyKey: `${reference}-authorise`,
    });
  const authorised = async (s: Subject, card?: keyof Subject['cards']) => {
    const reference = newReference();
    return { reference, charge: await authorise(s, reference, card) };
  };
  const capture = ({ provider }: Subject, authorizationId: string, amount = 1000, key = 'capture') =>
    provider.capture({ authorizationId, amount: usd(amount), idempotencyKey: `${authorizationId}-${key}` });
  const captured = async (s: Subject) => {
    const { reference, charge } = await authorised(s);
    return { reference, charge: await capture(s, charge.id) };
  };
  const refund = ({ provider }: Subject, captureId: string, refundId: string, amount: number) =>
    provider.refund({ captureId, refundId, amount: usd(amount), idempotencyKey: `${captureId}-${refundId}` });

  describe(`the ${name} provider`, () => {
    it('knows nothing of a reference that was never used', async () => {
      expect(await subject().provider.find(newReference())).toBeUndefined();
    });

    it('holds the money of an approved card and finds it by our reference', async () => {
      const s = subject();
      const { reference, charge } = await authorised(s);
      expect(charge).toMatchObject({ reference, amount: usd(1000), status: 'authorized', refunds: [] });
      expect(await s.provider.find(reference)).toEqual(charge);
    });

    it('answers a decline as a charge with its reason', async () => {
      const s = subject();
      const { reference, charge } = await authorised(s, 'declined');
      expect(charge).toMatchObject({ status: 'declined', reason: expect.stringMatching(/.+/) });
      expect(await s.provider.find(reference)).toEqual(charge);
    });

    it('does a call once for its key, also in parallel', async () => {
      const s = subject();
      const reference = newReference();
      const charges = await Promise.all([1, 2, 3, 4].map(() => authorise(s, reference)));
      expect(new Set(charges.map(({ id }) => id)).size).toBe(1);
      const captures = await Promise.all([1, 2, 3, 4].map(() => capture(s, charges[0]!.id)));
      expect(new Set(captures.map(({ captureId }) => captureId)).size).toBe(1);
    });

    it('captures once, and refuses a second capture with another key', async () => {
      const s = subject();
      const { reference, charge } = await captured(s);
      expect(charge).toMatchObject({ status: 'captured', captureId: expect.stringMatching(/.+/) });
      await expect(capture(s, charge.id, 1000, 'again')).rejects.toBeInstanceOf(ProviderRefused);
      expect(await s.provider.find(reference)).toEqual(charge);
    });

    it('refuses a capture that the bank refuses; the money stays held', async () => {
      const s = subject();
      const { reference, charge } = await authorised(s, 'captureFails');
      await expect(capture(s, charge.id)).rejects.toBeInstanceOf(ProviderRefused);
      expect((await s.provider.find(reference))?.status).toBe('authorized');
    });

    it('voids what is held, and captures it no more', async () => {
      const s = subject();
      const { reference, charge } = await authorised(s);
      const idempotencyKey = `${reference}-void`;
      const voided = await s.provider.void({ authorizationId: charge.id, idempotencyKey });
      expect(voided.status).toBe('voided');
      await expect(capture(s, charge.id)).rejects.toBeInstanceOf(ProviderRefused);
      expect((await s.provider.find(reference))?.status).toBe('voided');
    });

    it('refunds in parts under our refund ids, and no more than was captured', async () => {
      const s = subject();
      const { reference, charge } = await captured(s);
      await refund(s, charge.captureId!, 'rfd_1', 300);
      const after = await refund(s, charge.captureId!, 'rfd_2', 700);
      expect(after.status).toBe('captured');
      expect(after.refunds).toMatchObject([
        { refundId: 'rfd_1', amount: usd(300) },
        { refundId: 'rfd_2', amount: usd(700) },
      ]);
      await expect(refund(s, charge.captureId!, 'rfd_3', 1)).rejects.toBeInstanceOf(ProviderRefused);
      expect(await s.provider.find(reference)).toEqual(after);
    });

    it('does not guess when an answer is lost', async () => {
      const s = subject();
      s.loseAnswers();
      await expect(authorised(s)).rejects.toBeInstanceOf(OutcomeUnknown);
      await expect(s.provider.find(newReference())).rejects.toBeInstanceOf(OutcomeUnknown);
    });
  });
}
