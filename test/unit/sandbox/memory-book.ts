import type { Book, KeptAnswer } from '../../../functions/sandbox/domain/book.ts';
import type { Charge } from '../../../functions/sandbox/domain/charge.ts';
import type { PaymentKey } from '../../../functions/sandbox/domain/payment-key.ts';

/** A book in memory. Reads and writes take a turn each, so that parallel calls interleave. */
export function memoryBook(): Book {
  const charges = new Map<string, Charge>();
  const answers = new Map<string, KeptAnswer>();
  const paymentKeys = new Map<string, PaymentKey>();
  const moved = (charge: Charge) => (charges.get(charge.id)?.version ?? 0) !== charge.version - 1;
  const turn = () => new Promise<void>((done) => setImmediate(done));
  return {
    charge: async (id) => {
      await turn();
      return charges.get(id);
    },
    answer: async (key) => {
      await turn();
      return answers.get(key);
    },
    paymentKey: async (id) => {
      await turn();
      return paymentKeys.get(id);
    },
    offer: async (paymentKey) => {
      paymentKeys.set(paymentKey.id, paymentKey);
    },
    note: async (charge) => {
      await turn();
      if (moved(charge)) return false;
      charges.set(charge.id, charge);
      return true;
    },
    commit: async (key, answer, charge, uses) => {
      await turn();
      if (answers.has(key) || (charge && moved(charge))) return false;
      if (uses && paymentKeys.get(uses.id)?.usedFor !== undefined) return false;
      answers.set(key, answer);
      if (uses) paymentKeys.set(uses.id, uses);
      if (charge) charges.set(charge.id, charge);
      return true;
    },
    page: async (limit, cursor) => {
      const start = Number(cursor ?? 0);
      const all = [...charges.values()];
      const next = start + limit < all.length ? String(start + limit) : undefined;
      return { charges: all.slice(start, start + limit), next };
    },
  };
}
