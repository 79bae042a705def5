import { createApplicationAutoScaling } from './application-autoscaling.ts';
import { createCognito } from './cognito.ts';
import { ContentionWindow } from './contention.ts';
import type { DynamoDb } from './dynamodb.ts';
import { createDynamoDb } from './dynamodb.ts';
import { createEventSourceMappings } from './event-source-mappings.ts';
import { createEvents } from './events.ts';
import { createHttpApi } from './http-api.ts';
import { createKms } from './kms.ts';
import { createLambda } from './lambda.ts';
import { createPipes } from './pipes.ts';
import { type RunningCloud, type RuntimeOptions, startRuntime } from './runtime.ts';
import { createS3 } from './s3.ts';
import { createScheduler } from './scheduler.ts';
import { createSecrets } from './secrets.ts';
import { createSes } from './ses.ts';
import { createSqs } from './sqs.ts';
import { createStates } from './states.ts';
import { StreamSignal } from './streams.ts';
import type { Clock } from './types.ts';

/** Milliseconds that a transaction stays in flight where limits are imposed and nothing else is said. */
const limitedWindowMs = 5;

export interface CloudOptions extends RuntimeOptions {
  /** Lets transactions conflict as they do on AWS; each stays in flight for that many milliseconds at least. */
  readonly contention?: { readonly windowMs: number };
  /** Execution environments of each function at most; 1 unless told. Each serves many invocations at once. */
  readonly environments?: number;
  /** Puts an edge cache before the main HTTP API, as CloudFront stands there where it is deployed. */
  readonly edge?: boolean;
}

export interface Cloud extends RunningCloud {
  /** Opens the contention window, or closes it with undefined. */
  setContention(windowMs: number | undefined): void;
}

/**
 * Runs a synthesised assembly: everything it declares answers when this resolves.
 * @throws AssemblyError or PolicyError for what is not emulated; an Error with code `PORT_TAKEN` when the main API's
 * port is in use; an Error when another process serves from the same home.
 */
export async function startCloud(options: CloudOptions): Promise<Cloud> {
  const windowMs = options.contention?.windowMs ?? (options.limits && limitedWindowMs);
  let clock: Clock | undefined;
  const contention = new ContentionWindow(windowMs, () => clock?.pace ?? 1);
  const signal = new StreamSignal();
  let dynamodb: DynamoDb;
  // Started in this order and stopped in the opposite one: those that call come after those that answer.
  const running = await startRuntime(options, [
    (runtime) => {
      clock = runtime.clock;
      dynamodb = createDynamoDb(runtime, contention, signal);
      return dynamodb;
    },
    createSecrets,
    createKms,
    createS3,
    createSes,
    createCognito,
    createLambda(options.environments),
    createStates,
    createSqs,
    createEvents,
    createEventSourceMappings,
    createScheduler,
    createApplicationAutoScaling,
    (runtime) => createPipes(runtime, signal, (stream, sequence) => dynamodb.passed(stream, sequence)),
    createHttpApi(options.edge === true),
  ]);
  return { ...running, setContention: (windowMs) => contention.set(windowMs) };
}
