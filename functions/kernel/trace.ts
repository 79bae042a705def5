/** Trace ids in the form of W3C Trace Context: `00-<trace, 32 hex>-<parent, 16 hex>-<flags, 2 hex>`. */
import { randomBytes } from 'node:crypto';

const form = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;

/** The caller's `traceparent`, or a new one: a header that is not valid is replaced, not refused. */
export function traceparentOf(header: string | undefined): string {
  if (header && form.test(header)) return header;
  return `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
}

/** The trace's id, of 32 hex digits; undefined when it is not one. */
export function traceIdOf(traceparent: string): string | undefined {
  return form.exec(traceparent)?.[1];
}

/** The trace's id when its flags say that it is recorded: only then lines are written about it. */
export function recordedTraceId(traceparent: string): string | undefined {
  const [, id, flags = '0'] = form.exec(traceparent) ?? [];
  return Number.parseInt(flags, 16) & 1 ? id : undefined;
}
