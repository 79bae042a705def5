import type { Book, KeptAnswer } from '../../../functions/sandbox/domain/book.ts';
import type { Charge } from '../../../functions/sandbox/domain/charge.ts';

/** A book in memory. Reads and writes take a turn each, so that parallel calls interleave. */
export function memoryBook(): Book {
  const charges = new Map<string, Charge>();
  const answers = new Map<string, KeptAnswer>();
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
    commit: async (key, answer, charge) => {
      await turn();
      if (answers.has(key)) return false;
      if (charge && (charges.get(charge.id)?.version ?? 0) !== charge.version - 1) return false;
      answers.set(key, answer);
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
