import { dropOfToken, type Entry, type SkuDrop, verifyAdmission } from '../../admission/published.ts';
import { isoInstant, type Now } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';

export interface AdmitPorts {
  readonly now: Now;
  /** A slot for an order without a token, while a drop's waiting room is out of order. */
  readonly fallbackSlot: (
    drop: SkuDrop,
  ) => Promise<{ readonly second: number; readonly slot: number } | undefined>;
}

/** What a drop has refused in the transaction, with the units that the shopper has bought there. */
export interface RefusedEntry {
  readonly dropId: string;
  /** `busy`: it was being written by another. */
  readonly why: 'used' | 'limit' | 'busy';
  readonly bought?: number;
}

/** Two actions each: they fit one transaction beside the event, the cart and 90 draws. */
const mostDrops = 3;

/** A month after the drop, in seconds: for as long as its other records stay. */
const keptFor = 30 * 86_400;

/**
 * By what an order may buy from each drop that its SKUs are sold in: the token of an admission, or, while the drop's
 * waiting room is out of order, a slot of its fallback rate. Nothing is used up yet.
 * @throws DomainError `drop-not-open`, `admission-required`, `admission-invalid`, `customer-limit`,
 * `temporary-reduced-capacity` (the waiting room is out of order, and the second has no slot left), `validation-failed`
 */
export async function admit(
  ports: AdmitPorts,
  { admissions = [], customerId }: { readonly admissions?: readonly string[]; readonly customerId: string },
  basket: { readonly drops: readonly SkuDrop[]; readonly demand: ReadonlyMap<string, number> },
): Promise<readonly Entry[]> {
  const { drops, demand } = basket;
  if (drops.length > mostDrops) {
    throw new DomainError('validation-failed', `An order buys from at most ${mostDrops} drops.`, {
      errors: [{ pointer: '#/lines', message: `sold in ${drops.length} drops` }],
    });
  }
  return Promise.all(
    drops.map(async (drop) => {
      const { dropId, skus, perCustomerLimit } = drop;
      const now = ports.now();
      if (now < drop.opensAt) throw notOpen(drop, now);
      const units = skus.reduce((sum, sku) => sum + (demand.get(sku) ?? 0), 0);
      if (units > perCustomerLimit) throw overLimit(dropId, perCustomerLimit, undefined);
      const token = admissions.find((one) => dropOfToken(one) === dropId);
      const by = token
        ? { position: verifyAdmission(token, drop, customerId, now).position }
        : await ports.fallbackSlot(drop);
      if (!by) throw required(drop);
      const expiresAt = Math.floor(drop.closesAt / 1_000) + keptFor;
      return { dropId, customerId, units, perCustomerLimit, expiresAt, by };
    }),
  );
}

/** @throws DomainError for what a drop has refused for good; whatever was only busy may be tried again */
export function refuseEntries(refused: readonly RefusedEntry[], entries: readonly Entry[]): void {
  for (const { dropId, why, bought } of refused) {
    const entry = entries.find((one) => one.dropId === dropId);
    if (why === 'limit') throw overLimit(dropId, entry?.perCustomerLimit ?? 0, bought ?? 0);
    if (why === 'busy') continue;
    if (entry && 'slot' in entry.by) {
      throw new DomainError('temporary-reduced-capacity', 'Only a few orders a second are let in now.');
    }
    throw new DomainError('admission-used', 'An order was placed with this admission.', { dropId });
  }
}

/** What event 1 says of an entry. */
export function admissionOf({ dropId, units, by }: Entry) {
  return 'position' in by ? { dropId, position: by.position, units } : { dropId, units };
}

function notOpen({ dropId, opensAt, skus }: SkuDrop, now: number): DomainError {
  const at = isoInstant(opensAt);
  return new DomainError('drop-not-open', `${skus.join(', ')}: sold in a drop that opens at ${at}.`, {
    dropId,
    opensAt: at,
    retryAfterSeconds: Math.max(1, Math.ceil((opensAt - now) / 1_000)),
  });
}

function required({ dropId, skus, opensAt }: SkuDrop): DomainError {
  const ticketsAt = `/v1/drops/${dropId}/tickets`;
  return new DomainError(
    'admission-required',
    `${skus.join(', ')}: sold in a drop. Take a ticket, and send its admission as Floodgate-Admission.`,
    { dropId, skus, opensAt: isoInstant(opensAt), ticketsAt },
  );
}

function overLimit(dropId: string, limit: number, bought: number | undefined): DomainError {
  const had = bought === undefined ? '' : ` You have ${bought}.`;
  return new DomainError('customer-limit', `One shopper may buy ${limit} in this drop.${had}`, {
    dropId,
    limit,
    ...(bought !== undefined && { bought }),
  });
}
