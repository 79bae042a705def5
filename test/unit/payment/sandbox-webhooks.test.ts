import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { sandboxWebhooks } from '../../../functions/payment/adapters/sandbox-webhooks.ts';
import { signatureHeader } from '../../../functions/sandbox/contract.ts';

const now = Date.parse('2026-11-22T10:00:00Z');
const body = JSON.stringify({ id: 'whk_1', type: 'charge.changed', reference: 'ord_A-1' });
const heard = { id: 'whk_1', reference: 'ord_A-1' };
const sign = (secret: string, at = now, text = body) => {
  const time = Math.floor(at / 1000);
  return `t=${time},v1=${createHmac('sha256', secret).update(`${time}.${text}`).digest('hex')}`;
};
const verify = (signature: string | undefined, text = body) =>
  sandboxWebhooks(async () => ['newest', 'before'])(
    { body: text, headers: { [signatureHeader]: signature } },
    now,
  );

describe('a webhook of the sandbox', () => {
  it.each([
    ['the newest secret', sign('newest')],
    ['the secret before it', sign('before')],
    ['a signature of 300 s ago', sign('newest', now - 300_000)],
  ])('is believed with %s', async (_, signature) => {
    expect(await verify(signature)).toEqual(heard);
  });

  it.each([
    ['no signature', undefined],
    ['nonsense', 't=1,v1=xyz'],
    ['a secret that is no longer valid', sign('long ago')],
    ['another body', sign('newest', now, '{"reference":"ord_B-1"}')],
    ['a signature of 301 s ago', sign('newest', now - 301_000)],
    ['a signature from the future', sign('newest', now + 301_000)],
  ])('is not believed with %s', async (_, signature) => {
    expect(await verify(signature)).toBeUndefined();
  });

  it('is not believed when it is signed but says nothing', async () => {
    expect(await verify(sign('newest', now, 'x'), 'x')).toBeUndefined();
  });

  it('signed by a secret that has just been put is known after another look', async () => {
    const looks: (number | undefined)[] = [];
    const verifier = sandboxWebhooks(async (maxAge) => {
      looks.push(maxAge);
      return maxAge === undefined ? ['newest'] : ['rotated', 'newest'];
    });
    expect(await verifier({ body, headers: { [signatureHeader]: sign('rotated') } }, now)).toEqual(heard);
    expect(looks).toEqual([undefined, 10_000]);
  });
});
