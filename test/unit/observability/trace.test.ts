import { describe, expect, it, vi } from 'vitest';
import { trail } from '../../../functions/kernel/log.ts';
import { recordedTraceId, traceIdOf, traceparentOf } from '../../../functions/kernel/trace.ts';
import { tracedRequest } from '../../../functions/payment/adapters/traced-request.ts';

vi.mock('../../../functions/kernel/log.ts', () => ({ trail: vi.fn() }));

const id = '0af7651916cd43dd8448eb211c80319c';
const traceparent = `00-${id}-b7ad6b7169203331-01`;
const unrecorded = `00-${id}-b7ad6b7169203331-00`;

describe('a traceparent', () => {
  it('of the caller is kept', () => {
    expect(traceparentOf(traceparent)).toBe(traceparent);
    expect(traceparentOf(unrecorded)).toBe(unrecorded);
  });

  it.each([
    undefined,
    '',
    'x',
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-${id}-${'0'.repeat(16)}-01`,
    `${traceparent}-x`,
  ])('that is not valid (%s) is replaced by one of our own', (header) => {
    const own = traceparentOf(header);
    expect(traceIdOf(own)).toMatch(/^[0-9a-f]{32}$/);
    expect(recordedTraceId(own)).toBe(traceIdOf(own));
    expect(traceparentOf(header)).not.toBe(own);
  });

  it('says whether lines may be written about it', () => {
    expect(recordedTraceId(traceparent)).toBe(id);
    expect(recordedTraceId(unrecorded)).toBeUndefined();
    expect(traceIdOf(unrecorded)).toBe(id);
    expect(recordedTraceId('nothing')).toBeUndefined();
  });
});

describe('a request to the provider', () => {
  const url = 'https://provider.test/authorizations?reference=secret';
  const asked: RequestInit[] = [];
  const answering = async (_url: string, init: RequestInit) => {
    asked.push(init);
    return new Response('{}', { status: 201 });
  };

  it('carries the trace on, beside its own headers, and leaves a line without the query', async () => {
    await tracedRequest(traceparent, answering)(url, { method: 'POST', headers: { authorization: 'x' } });
    expect(asked.pop()?.headers).toEqual({ authorization: 'x', traceparent });
    expect(trail).toHaveBeenLastCalledWith(
      'called',
      expect.objectContaining({ method: 'POST', path: '/authorizations', status: 201, trace: id }),
    );
  });

  it('without an answer fails as it would, and leaves a line too', async () => {
    const silent = async () => Promise.reject(new TypeError('fetch failed'));
    await expect(tracedRequest(traceparent, silent)(url, {})).rejects.toThrow('fetch failed');
    expect(trail).toHaveBeenLastCalledWith('called', expect.objectContaining({ status: 'no answer' }));
  });

  it('of a trace that is not recorded is carried on without a line', async () => {
    vi.mocked(trail).mockClear();
    await tracedRequest(unrecorded, answering)(url, {});
    expect(asked.pop()?.headers).toEqual({ traceparent: unrecorded });
    expect(trail).not.toHaveBeenCalled();
  });
});
