import { type StoredEvent, storedEventOf } from '../../kernel/events.ts';
import { digest } from '../../kernel/ids.ts';
import { webhookDue } from '../contract.ts';
import { type Charge, orderIdOf } from '../domain/charge.ts';

/** The charge has changed: an event like any other, so that it leaves through the table's own pipe. */
export function webhookEvent({ id, reference, version }: Charge, now: number): StoredEvent {
  const trace = digest(id);
  const event = storedEventOf(webhookDue, {
    orderId: orderIdOf(reference),
    seq: version,
    at: now,
    // Nobody has sent one: a trace of the charge's own.
    traceparent: `00-${trace.slice(0, 32)}-${trace.slice(32, 48)}-01`,
    body: { chargeId: id, reference, change: version },
  });
  return { ...event, id: `evt_${id}-${version}` };
}
