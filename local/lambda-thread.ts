import { closeSync, openSync, writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { InvocationMessage, WorkerMessage, WorkerSettings } from './lambda-worker.ts';
import type { SharedClock } from './shared-clock.ts';

/** How an invocation ended: `body` is JSON, the handler's result or the error members. */
export interface InvocationOutcome {
  readonly failed: boolean;
  readonly body: string;
}

export interface ThreadSettings extends Omit<WorkerSettings, 'clock'> {
  readonly name: string;
  readonly clock: SharedClock;
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds, at the pace of the clock. */
  readonly timeout: number;
  /** The file that the function's output is appended to. */
  readonly logFile: string;
  /** Told of whole lines as they are appended. */
  readonly onOutput: (text: string) => void;
  /** Whether the function's role may write its log. */
  readonly mayLog: () => boolean;
  readonly onEnd: () => void;
}

interface Pending {
  readonly resolve: (outcome: InvocationOutcome) => void;
  timer?: NodeJS.Timeout;
}

/** Lambda gives the code outside the handler 10 seconds before it starts over; the first invocation waits as long. */
const initMilliseconds = 10_000;
const drainMilliseconds = 2_000;
/** Where Node keeps what it made of each bundle: an environment that finds it starts in two thirds of the time. */
const compileCache = fileURLToPath(new URL('../.build/compile-cache', import.meta.url));

/** A running execution environment of one function. It is used until it fails, times out or is stopped. */
export class FunctionThread {
  readonly #settings: ThreadSettings;
  readonly #worker: Worker;
  readonly #logFile: number;
  readonly #pending = new Map<string, Pending>();
  readonly #loaded: Promise<InvocationOutcome | undefined>;
  readonly #ended: Promise<void>;
  #retired = false;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
    this.#logFile = openSync(settings.logFile, 'a');
    const { folder, handler, clock } = settings;
    this.#worker = new Worker(new URL('./lambda-worker.ts', import.meta.url), {
      name: settings.name,
      env: { ...settings.environment, NODE_COMPILE_CACHE: compileCache },
      // A profile of the cloud (node --cpu-prof) shows what its functions do as well.
      execArgv: process.execArgv.filter((argument) => argument.startsWith('--cpu-prof')),
      workerData: { folder, handler, clock: clock.memory } satisfies WorkerSettings,
      stdout: true,
      stderr: true,
    });
    for (const stream of [this.#worker.stdout, this.#worker.stderr]) {
      const lines = new LineBuffer((text) => this.#log(text));
      stream.setEncoding('utf8').on('data', (chunk: string) => lines.add(chunk));
      stream.on('end', () => lines.flush());
    }
    this.#worker.on('error', (error) => {
      this.#log(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    });
    this.#ended = new Promise((resolve) => {
      this.#worker.on('exit', (code) => {
        this.#retired = true;
        this.#failAll(code);
        closeSync(this.#logFile);
        settings.onEnd();
        resolve();
      });
    });
    this.#loaded = this.#load();
  }

  /** Whether no invocation is under way. */
  get idle(): boolean {
    return this.#pending.size === 0;
  }

  /** Whether it takes further invocations. */
  get usable(): boolean {
    return !this.#retired;
  }

  /** Runs the handler once. Never rejects: failures are outcomes. */
  async invoke(request: Omit<InvocationMessage, 'deadline'>): Promise<InvocationOutcome> {
    const { promise, resolve } = Promise.withResolvers<InvocationOutcome>();
    const pending: Pending = { resolve };
    this.#pending.set(request.id, pending);
    const failure = await this.#loaded;
    if (failure) {
      this.#settle(request.id, failure);
    } else if (this.#pending.has(request.id)) {
      const timeout = this.#settings.timeout / this.#settings.clock.pace;
      pending.timer = setTimeout(() => this.#timeOut(request.id), timeout);
      this.#worker.postMessage({ ...request, deadline: Date.now() + timeout } satisfies InvocationMessage);
    }
    return promise;
  }

  /** Takes no further invocation, gives those under way two seconds, and ends. Resolves once the thread is gone. */
  async stop(): Promise<void> {
    this.#retired = true;
    if (this.#pending.size === 0) void this.#worker.terminate();
    const deadline = setTimeout(() => void this.#worker.terminate(), drainMilliseconds);
    await this.#ended;
    clearTimeout(deadline);
  }

  /** Ends at once. What it was doing is not done, or done and not told. */
  crash(): void {
    this.#retired = true;
    void this.#worker.terminate();
  }

  #log(text: string): void {
    if (!this.#settings.mayLog()) return;
    writeSync(this.#logFile, text);
    this.#settings.onOutput(text);
  }

  #load(): Promise<InvocationOutcome | undefined> {
    const allowed = initMilliseconds + this.#settings.timeout;
    return new Promise((resolve) => {
      const giveUp = (outcome: InvocationOutcome) => {
        clearTimeout(timer);
        this.#retired = true;
        resolve(outcome);
      };
      const timer = setTimeout(() => {
        giveUp(failure('Sandbox.Timedout', `Task timed out after ${(allowed / 1000).toFixed(2)} seconds`));
      }, allowed);
      this.#worker.on('message', (message: WorkerMessage) => {
        switch (message.kind) {
          case 'ready':
            clearTimeout(timer);
            resolve(undefined);
            break;
          case 'failed-to-load':
            this.#log(`${message.error}\n`);
            giveUp({ failed: true, body: message.error });
            void this.#worker.terminate();
            break;
          case 'done':
            this.#settle(message.id, message);
        }
      });
      this.#worker.on('exit', (code) => giveUp(exitFailure(code)));
    });
  }

  #timeOut(id: string): void {
    const seconds = (this.#settings.timeout / 1000).toFixed(2);
    const text = `Task timed out after ${seconds} seconds`;
    this.#log(`${new Date().toISOString()} ${id} ${text}\n`);
    this.#retired = true;
    this.#settle(id, failure('Sandbox.Timedout', `RequestId: ${id} Error: ${text}`));
  }

  #settle(id: string, outcome: InvocationOutcome): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    clearTimeout(pending.timer);
    pending.resolve({ failed: outcome.failed, body: outcome.body });
    if (this.#retired && this.#pending.size === 0) void this.#worker.terminate();
  }

  #failAll(code: number): void {
    for (const id of [...this.#pending.keys()]) this.#settle(id, exitFailure(code, id));
  }
}

function exitFailure(code: number, id?: string): InvocationOutcome {
  const prefix = id ? `RequestId: ${id} ` : '';
  return failure('Runtime.ExitError', `${prefix}Error: Runtime exited with error: exit status ${code}`);
}

function failure(errorType: string, errorMessage: string): InvocationOutcome {
  return { failed: true, body: JSON.stringify({ errorType, errorMessage }) };
}

/** Passes on whole lines only, so that the output of two streams does not mix within a line. */
class LineBuffer {
  readonly #write: (text: string) => void;
  #rest = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(chunk: string): void {
    const text = this.#rest + chunk;
    const end = text.lastIndexOf('\n') + 1;
    this.#rest = text.slice(end);
    if (end > 0) this.#write(text.slice(0, end));
  }

  flush(): void {
    if (this.#rest) this.#write(`${this.#rest}\n`);
    this.#rest = '';
  }
}
