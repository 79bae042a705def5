import { bucketOf, digest } from '../../kernel/ids.ts';
import type { Webhook } from '../contract.ts';

/**
 * The webhooks that a change of a charge brings about, in the order in which they are sent. Providers deliver at
 * least once and in any order, so some charges have each of theirs twice, and some the one before after the new one;
 * which ones follows from the id, so that a run can be repeated.
 * @param change 1 for the first change of the charge
 */
export function webhooksOf(chargeId: string, reference: string, change: number): readonly Webhook[] {
  return changesTold(chargeId, change).map((told) => ({
    id: `whk_${digest(`${chargeId} ${told}`).slice(0, 24)}`,
    type: 'charge.changed',
    reference,
  }));
}

function changesTold(chargeId: string, change: number): readonly number[] {
  const kind = bucketOf(chargeId, 4);
  if (kind === 0) return [change, change];
  if (kind === 1 && change > 1) return [change, change - 1];
  return [change];
}
