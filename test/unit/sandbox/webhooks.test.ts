import { describe, expect, it } from 'vitest';
import { sandboxWebhooks } from '../../../functions/payment/adapters/sandbox-webhooks.ts';
import { deliverWebhook } from '../../../functions/sandbox/app/deliver-webhook.ts';
import { webhooksOf } from '../../../functions/sandbox/domain/webhooks.ts';

const ids = Array.from({ length: 40 }, (_, n) => `aut_${n}`);
const told = (id: string, change: number) => webhooksOf(id, 'ord_A-1', change).map((webhook) => webhook.id);
const once = (id: string, change: number) => told(id, change).at(0);

describe('the webhooks of a change', () => {
  it('tell of the change first, and are the same when made again', () => {
    for (const id of ids) expect(told(id, 2)).toEqual(told(id, 2));
    expect(new Set(ids.flatMap((id) => [once(id, 1), once(id, 2)])).size).toBe(2 * ids.length);
  });

  it('come twice for some charges, and out of order for some', () => {
    const twice = ids.filter((id) => told(id, 2)[1] === once(id, 2));
    const disordered = ids.filter((id) => told(id, 2)[1] === once(id, 1));
    expect(twice.length).toBeGreaterThan(3);
    expect(disordered.length).toBeGreaterThan(3);
    expect(twice.length + disordered.length).toBeLessThan(ids.length);
    for (const id of disordered) expect(told(id, 1)).toHaveLength(1);
  });
});

describe('a delivery', () => {
  const now = Date.parse('2026-11-22T10:00:00Z');
  const due = { chargeId: 'aut_1', reference: 'ord_A-1', change: 1 };
  const deliver = (...statuses: number[]) => {
    const sent: { headers: Readonly<Record<string, string>>; body: string }[] = [];
    const run = deliverWebhook({
      post: async (headers, body) => {
        sent.push({ headers, body });
        return statuses.shift() ?? 200;
      },
      secret: async () => 'newest',
      now: () => now,
    });
    return { sent, run };
  };

  it('is signed so that the store believes it', async () => {
    const { sent, run } = deliver();
    await run(due);
    const heard = await sandboxWebhooks(async () => ['newest'])(sent[0]!, now);
    expect(heard).toEqual({ id: once('aut_1', 1), reference: 'ord_A-1' });
  });

  it.each([400, 404, 500, 503])('that is answered with %i fails, and so comes again', async (status) => {
    await expect(deliver(status).run(due)).rejects.toThrow(String(status));
  });
});
