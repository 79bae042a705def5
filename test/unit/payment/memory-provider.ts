import type { Money } from '../../../functions/kernel/contract.ts';
import {
  type Charge,
  OutcomeUnknown,
  type PaymentProvider,
  ProviderRefused,
} from '../../../functions/payment/domain/provider.ts';

type Method = 'authorise' | 'capture' | 'void' | 'refund' | 'find';

/** What goes wrong with one call: a timeout before or after its effect, a refusal, or an authorisation that differs. */
export type Trouble = 'lost' | 'late' | 'refused' | { readonly answers: Partial<Charge> };

/**
 * A provider in memory that does what it is told, once for each idempotency key. `troubles` are used up call by
 * call, by method; `calls` are those that arrived.
 */
export function memoryProvider(charge?: Charge) {
  const book = new Map<string, Charge>(charge ? [[charge.reference, charge]] : []);
  const done = new Set<string>();
  const calls: string[] = [];
  const troubles: Partial<Record<Method, (Trouble | undefined)[]>> = {};

  function run(method: Method, key: string, effect: (change: Partial<Charge>) => Charge): Charge {
    calls.push(`${method} ${key}`);
    const trouble = troubles[method]?.shift();
    if (trouble === 'lost') throw new OutcomeUnknown('lost on the way');
    if (trouble === 'refused') throw new ProviderRefused('refused-by-test', 'no');
    const after = effect(typeof trouble === 'object' ? trouble.answers : {});
    if (!done.has(key)) book.set(after.reference, after);
    done.add(key);
    if (trouble === 'late') throw new OutcomeUnknown('the answer came too late');
    return book.get(after.reference)!;
  }

  const by = (test: (charge: Charge) => boolean): Charge => {
    const line = [...book.values()].find(test);
    if (!line) throw new ProviderRefused('not-found', 'there is no such charge');
    return line;
  };
  const held = (id: string) => by((line) => line.id === id);

  const provider: PaymentProvider = {
    name: 'memory',
    authorise: async ({ reference, amount, source, idempotencyKey }) =>
      run('authorise', idempotencyKey, (change) => ({
        id: `auth-${reference}`,
        reference,
        amount,
        // A browser payment is charged by its confirmation.
        ...(source.kind === 'browser'
          ? { status: 'captured', captureId: `capture-${reference}` }
          : { status: 'authorized' }),
        refunds: [],
        ...change,
      })),
    capture: async ({ authorizationId, idempotencyKey }) =>
      run('capture', idempotencyKey, () => {
        const line = held(authorizationId);
        return { ...line, status: 'captured', captureId: line.captureId ?? `capture-${line.reference}` };
      }),
    void: async ({ authorizationId, idempotencyKey }) =>
      run('void', idempotencyKey, () => ({ ...held(authorizationId), status: 'voided' })),
    refund: async ({ captureId, refundId, amount, idempotencyKey }) =>
      run('refund', idempotencyKey, () => {
        const line = by((candidate) => candidate.captureId === captureId);
        return { ...line, refunds: [...line.refunds, { id: `at-provider-${refundId}`, refundId, amount }] };
      }),
    find: async (reference) => {
      calls.push(`find ${reference}`);
      if (troubles.find?.shift()) throw new OutcomeUnknown('the provider is down');
      return book.get(reference);
    },
  };
  return { provider, calls, troubles, charge: (reference: string) => book.get(reference) };
}

export const usd = (amount: number): Money => ({ amount, currency: 'USD' });
