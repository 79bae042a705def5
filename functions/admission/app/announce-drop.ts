import { isoInstant } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { canonicalJson, derivedId, digest } from '../../kernel/ids.ts';
import type { NewDrop } from '../contract.ts';
import { type Drop, settlingMs } from '../domain/drop.ts';

export interface Ports {
  readonly now: () => number;
  readonly find: (dropId: string) => Promise<Drop | undefined>;
  /** Of `skus`, those without stock. */
  readonly unstocked: (skus: readonly string[]) => Promise<readonly string[]>;
  /** A new pair for signing admissions, the private key wrapped; both base64. */
  readonly newKeys: (dropId: string) => Promise<{ readonly publicKey: string; readonly wrappedKey: string }>;
  /** 32 random bytes, base64. */
  readonly newOrderKey: () => string;
  /** @throws DomainError `already-exists` when a SKU is in another drop at that time */
  readonly save: (drop: Drop) => Promise<void>;
}

/**
 * Announces a drop.
 * 1. Its id follows from operator and key: a repeat finds what it made before.
 * 2. It must open so late that every order under way by then knows of it; if it does not say when, it opens then. Every
 *    SKU must have stock.
 * 3. Its keys are made, and it is stored unless one of its SKUs is in another drop at the same time.
 * @throws DomainError `validation-failed`, `already-exists`, `idempotency-key-reused`
 */
export const announceDrop =
  (ports: Ports) =>
  async (
    operator: string,
    idempotencyKey: string,
    body: NewDrop,
  ): Promise<{ drop: Drop; replayed: boolean }> => {
    const id = derivedId('drp', operator, idempotencyKey);
    const requestHash = digest(canonicalJson(body));
    const existing = await ports.find(id);
    if (existing) return { drop: sameRequest(existing, requestHash), replayed: true };
    const now = ports.now();
    const { opensAt, closesAt, ...terms } = body;
    const earliest = now + settlingMs;
    const window = {
      opensAt: opensAt === undefined ? earliest : Date.parse(opensAt),
      closesAt: Date.parse(closesAt),
    };
    if (window.opensAt < earliest) {
      const least = `must be at least ${settlingMs / 1_000} seconds ahead`;
      throw invalid('#/opensAt', `${least}; leave it out, and the drop opens as soon as it can`);
    }
    if (window.closesAt <= window.opensAt) {
      throw invalid('#/closesAt', `must be after the opening at ${isoInstant(window.opensAt)}`);
    }
    const unstocked = await ports.unstocked(terms.skus);
    if (unstocked.length > 0) throw invalid('#/skus', `no stock was opened for ${unstocked.join(', ')}`);
    const drop: Drop = {
      id,
      ...terms,
      ...window,
      ...(await ports.newKeys(id)),
      orderKey: ports.newOrderKey(),
      requestHash,
      version: 1,
      createdAt: now,
      updatedAt: now,
    };
    try {
      await ports.save(drop);
    } catch (error) {
      // Perhaps this very request, sent twice.
      const saved = await ports.find(id);
      if (!saved) throw error;
      return { drop: sameRequest(saved, requestHash), replayed: true };
    }
    return { drop, replayed: false };
  };

function sameRequest(drop: Drop, requestHash: string): Drop {
  if (drop.requestHash === requestHash) return drop;
  throw new DomainError('idempotency-key-reused', `This Idempotency-Key announced ${drop.id}, another drop.`);
}

function invalid(pointer: string, message: string): DomainError {
  return new DomainError('validation-failed', `The request is not valid: ${pointer} ${message}.`, {
    errors: [{ pointer, message }],
  });
}
