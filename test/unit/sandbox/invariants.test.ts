import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryBook } from './memory-book.ts';
import { sandboxOn } from './sandbox-client.ts';

const reference = 'ord_A-1';
/** Few and round, so that parts often add up to the whole. */
const cents = fc.constantFrom(1, 250, 500, 750, 1000, 1001);
const operation = fc.oneof(
  fc.record({ kind: fc.constant('authorise' as const), amount: cents }),
  fc.record({ kind: fc.constant('capture' as const), amount: cents }),
  fc.record({ kind: fc.constant('void' as const), amount: cents }),
  fc.record({ kind: fc.constant('refund' as const), amount: cents, name: fc.nat(4) }),
);
/** Batches one after another; the operations of a batch run at the same time. */
const batches = fc.array(fc.array(operation, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 6 });

describe('whatever is called in whatever order, in parallel', () => {
  it('holds refunded ≤ captured ≤ authorised, and nothing taken is ever given twice', async () => {
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(batches, async (sequence) => {
        const sandbox = sandboxOn(memoryBook());
        const { id } = (await sandbox.authorise(reference)).body;
        let captures = 0;
        let voids = 0;
        let refunds = 0;
        for (const batch of sequence) {
          const statuses = await Promise.all(
            batch.map(async (op) => {
              const post = (path: string, body: object) => sandbox.post(path, body);
              if (op.kind === 'authorise') return (await sandbox.authorise(reference, op.amount)).status;
              if (op.kind === 'void') return (await post(`/authorizations/${id}/voids`, {})).status;
              const { amount } = op;
              if (op.kind === 'capture') {
                return (await post(`/authorizations/${id}/captures`, { amount })).status;
              }
              const body = { amount, reference: `rfd_${op.name}` };
              return (await post(`/captures/${id.replace('aut_', 'cap_')}/refunds`, body)).status;
            }),
          );
          batch.forEach((op, index) => {
            if (statuses[index] !== 201) return;
            if (op.kind === 'capture') captures += 1;
            if (op.kind === 'void') voids += 1;
            if (op.kind === 'refund') refunds += op.amount;
            expect(op.kind, 'a second authorisation for the reference').not.toBe('authorise');
          });
          expect(statuses.every((status) => status < 500)).toBe(true);
          const { body } = await sandbox.get(`/authorizations/${id}`);
          expect(body.amount.amount).toBe(1000);
          expect(body.captured.amount).toBeLessThanOrEqual(body.amount.amount);
          expect(body.refunded.amount).toBeLessThanOrEqual(body.captured.amount);
          expect(body.refunded.amount).toBe(refunds);
          expect(captures + voids).toBeLessThanOrEqual(1);
          seen.add(body.status);
        }
      }),
      { numRuns: 100 },
    );
    // The operations did reach every state.
    expect([...seen].sort()).toEqual(['authorized', 'captured', 'partially_refunded', 'refunded', 'voided']);
  });
});
