import type { Resource } from './types.ts';

/*
 * What AWS itself writes to logs about a function's or workflow's work. The embedded cloud does not write these lines;
 * their sizes are those of sample lines in the shape of AWS's guides, with ids of their real length.
 */

/** CloudWatch Logs bills 26 bytes for each event besides its text (PutLogEvents, API reference). */
const EVENT_OVERHEAD = 26;

const id = '8286a188-ba32-4475-8077-530cd35c09a9';
const time = '2026-11-22T10:56:24.046Z';
const tracing = {
  spanId: '54565fb41ac79632',
  type: 'X-Amzn-Trace-Id',
  value: `Root=1-62e900b2-710d76f009d6e7785905449a;Parent=0efbd19962d95b05;Sampled=0;Lineage=1:2ed8dbd1:0`,
};
/** https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html */
const lambdaLines = [
  { time, type: 'platform.start', record: { requestId: id, version: '$LATEST', tracing } },
  {
    time,
    type: 'platform.report',
    record: {
      requestId: id,
      metrics: { durationMs: 18.123, billedDurationMs: 19, memorySizeMB: 512, maxMemoryUsedMB: 112 },
      tracing,
      status: 'success',
    },
  },
];
const lambdaBytes = lambdaLines.reduce((sum, line) => sum + JSON.stringify(line).length + EVENT_OVERHEAD, 0);

/** Bytes of Lambda's own lines about one warm invocation. */
export function platformLogBytes(fn: Resource): number {
  const { SystemLogLevel = 'INFO' } = fn.properties.LoggingConfig ?? {};
  // Start and report are of the level INFO; a WARN is written only when something went wrong.
  return SystemLogLevel === 'WARN' ? 0 : lambdaBytes;
}

/** Bytes of text that a function wrote, as they are billed: every line is an event. */
export function writtenLogBytes(text: string): number {
  const lines = text.split('\n').filter((line) => line !== '').length;
  return Buffer.byteLength(text) - (text.length - text.replaceAll('\n', '').length) + lines * EVENT_OVERHEAD;
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/cw-logs.html, without execution data */
const stateEvent = JSON.stringify({
  id: '12',
  type: 'LambdaFunctionSucceeded',
  details: { name: 'NextStep' },
  redrive_count: '0',
  previous_event_id: '11',
  event_timestamp: '1795344828548',
  execution_arn: `arn:aws:states:us-east-1:111122223333:express:CheckoutMachine1A2B3C4D-abcdefghijkl:${id}:${id}`,
});

/** Bytes that a workflow logs of one execution. @param events of its history; @param failed whether one of them is a failure */
export function executionLogBytes(machine: Resource, events: number, failed: boolean): number {
  const { Level = 'OFF' } = machine.properties.LoggingConfiguration ?? {};
  if (Level === 'ALL') return events * (stateEvent.length + EVENT_OVERHEAD);
  // ERROR and FATAL: the failure itself, with its details.
  return failed && Level !== 'OFF' ? 3 * (stateEvent.length + EVENT_OVERHEAD) : 0;
}

/** What a variable of an access log's format is filled with, where the request does not say. */
const accessValues: Readonly<Record<string, string>> = {
  requestId: 'JKJaXmPLvHcESHA=',
  requestTime: '22/Nov/2026:10:56:24 +0000',
  routeKey: '$default',
  status: '200',
  responseLatency: '28',
  'identity.sourceIp': '203.0.113.117',
};

/** Bytes of a request's line in the API's access log. @param format with `$context.…` variables */
export function accessLogBytes(
  format: string | undefined,
  values: Readonly<Record<string, string | number>>,
): number {
  if (format === undefined) return 0;
  const line = format.replace(/\$context\.([\w.]+)/g, (_, name) =>
    String(values[name] ?? accessValues[name] ?? '-'),
  );
  return Buffer.byteLength(line) + EVENT_OVERHEAD;
}
