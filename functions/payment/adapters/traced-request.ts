import { trail } from '../../kernel/log.ts';
import { outbound } from '../../kernel/outbound.ts';
import { recordedTraceId } from '../../kernel/trace.ts';

type Request = (url: string, init: RequestInit) => Promise<Response>;

/** Requests to a provider that carry the order's trace on to it, and leave a line with what came of each. */
export function tracedRequest(traceparent: string | undefined, request: Request = outbound): Request {
  if (traceparent === undefined) return request;
  const trace = recordedTraceId(traceparent);
  return async (url, init) => {
    const began = performance.now();
    const leaveTrail = (status: number | 'no answer') => {
      const { pathname: path } = new URL(url);
      const ms = Math.round(performance.now() - began);
      if (trace) trail('called', { method: init.method ?? 'GET', path, status, ms, trace });
    };
    try {
      const response = await request(url, { ...init, headers: { ...init.headers, traceparent } });
      leaveTrail(response.status);
      return response;
    } catch (error) {
      leaveTrail('no answer');
      throw error;
    }
  };
}
