import { Faults, type Struck } from './faults.ts';
import { nameOf } from './meter.ts';
import { isThrottle, throttled } from './throttling.ts';
import {
  AwsError,
  type Boundary,
  type Caller,
  type Clock,
  type Crossing,
  type Fault,
  type Meter,
  type Service,
} from './types.ts';

/** Milliseconds of a delay, and of the longest wait for another to overtake, where the rule says nothing. */
const defaultDelay = 50;
const longestHold = 500;
/** Of the cloud's clock: how late a late delivery is, and how far a jump goes. */
const defaultLateness = 60_000;

/** The connection ended before the answer: whoever asked cannot know what became of it. */
export class AnswerDropped extends AwsError {
  constructor() {
    super('ConnectionReset', 'the connection ended without an answer', 503);
  }
}

interface Options {
  readonly clock: Clock;
  readonly meter: Meter;
  /** Whether a role is a function's: only those can crash. */
  isFunction(roleArn: string): boolean;
  /** Ends the execution environments of the functions that have this role. */
  crash(roleArn: string): Promise<unknown>;
}

/**
 * What every call, delivery, function run and request passes, each at the place where it goes from one part of the
 * cloud to another. Here faults strike, and throttles are counted.
 */
export class CrossingPoint implements Boundary {
  readonly faults = new Faults();
  readonly #options: Options;
  /** Those held back, by place: released by the next one that passes there. */
  readonly #held = new Map<string, (() => void)[]>();
  readonly #counted = new WeakSet<AwsError>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(options: Options) {
    this.#options = options;
  }

  /** Ends every wait. */
  stop(): void {
    this.#stopped.resolve();
  }

  async pass<T>(crossing: Crossing, run: (input: any) => Promise<T>): Promise<T> {
    try {
      if (!this.faults.any) return await run(crossing.input);
      return await this.#passWatched(crossing, run);
    } catch (error) {
      this.#countThrottle(error, () => crossing);
      throw error;
    }
  }

  /** The service with its calls passing here, whichever way they come. Operators' calls are not touched. */
  around(service: Service): Service {
    const { name } = service;
    const call: Service['call'] = (operation, input, caller) =>
      caller.kind === 'operator'
        ? service.call(operation, input, caller)
        : this.pass(this.#callOf(name, operation, input, caller), (given) =>
            service.call(operation, given, caller),
          );
    return {
      name,
      call,
      ...(service.forward && {
        forward: (operation, body, caller) =>
          caller.kind === 'operator' || !this.faults.any
            ? this.#counting(name, operation, body, caller, () => service.forward!(operation, body, caller))
            : this.pass(this.#callOf(name, operation, JSON.parse(body.toString()), caller), () =>
                service.forward!(operation, body, caller),
              ),
      }),
      ...(service.handle && { handle: (request, caller) => service.handle!(request, caller, call) }),
      ...(service.start && { start: () => service.start!() }),
      ...(service.stop && { stop: () => service.stop!() }),
    };
  }

  #callOf(service: string, operation: string, input: any, caller: Caller): Crossing {
    return {
      kind: 'call',
      service,
      operation,
      resources: resourcesOf(input),
      by: caller,
      input,
      ...(caller.kind === 'role' &&
        this.#options.isFunction(caller.roleArn) && { crash: () => this.#options.crash(caller.roleArn) }),
    };
  }

  /** Bodies that go through as they came are not parsed for it. */
  async #counting<T>(
    service: string,
    operation: string,
    body: Buffer,
    by: Caller,
    run: () => Promise<T>,
  ): Promise<T> {
    try {
      return await run();
    } catch (error) {
      this.#countThrottle(error, () => this.#callOf(service, operation, JSON.parse(body.toString()), by));
      throw error;
    }
  }

  /** Where it happened: whoever passes the refusal on was not asked too often. */
  #countThrottle(error: unknown, crossing: () => Crossing): void {
    if (!isThrottle(error) || this.#counted.has(error as AwsError)) return;
    this.#counted.add(error as AwsError);
    const { service, operation, resources, by } = crossing();
    const [resource = ''] = resources;
    this.#options.meter.add({ service, resource, operation, by, counts: { throttles: 1 } });
  }

  async #passWatched<T>(crossing: Crossing, run: (input: any) => Promise<T>): Promise<T> {
    const place = `${crossing.service} ${crossing.operation}`;
    const struck = this.faults.strike({
      ...crossing,
      by: this.#options.meter.nameOf(crossing.by),
      can: (fault) => isPossible(crossing, fault),
    });
    if (!struck) {
      try {
        return await run(crossing.input);
      } finally {
        for (const release of this.#held.get(place) ?? []) release();
      }
    }
    return this.#suffer(struck, crossing, run, place);
  }

  async #suffer<T>(
    { fault, delayMs }: Struck,
    crossing: Crossing,
    run: (input: any) => Promise<T>,
    place: string,
  ): Promise<T> {
    const { service, operation, input } = crossing;
    const { clock } = this.#options;
    switch (fault) {
      case 'throttle':
        throw throttled(service, operation, input);
      case 'fail-before':
        throw failure();
      case 'delay':
        await this.#pause(delayMs ?? defaultDelay);
        return run(input);
      case 'late':
        await this.#pauseUntil(clock.now() + (delayMs ?? defaultLateness));
        return run(input);
      case 'reorder':
        await this.#hold(place, delayMs ?? longestHold);
        return run(input);
      case 'clock-jump':
        // Whoever listens to the clock may wait for what crosses here.
        void clock.advance(delayMs ?? defaultLateness);
        return run(input);
      case 'poison':
        return run(crossing.poisoned!(input));
      case 'duplicate': {
        const [first] = await Promise.allSettled([run(input), run(input)]);
        if (first.status === 'rejected') throw first.reason;
        return first.value;
      }
      case 'fail-after':
        await run(input);
        throw failure();
      case 'drop-answer':
        await run(input);
        throw new AnswerDropped();
      case 'crash':
        if (crossing.kind === 'run') void this.#pause(delayMs ?? 0).then(crossing.crash);
        await run(input);
        await crossing.crash!();
        throw new AnswerDropped();
    }
  }

  /** Until another one has passed at the same place, or for that long at most. */
  async #hold(place: string, milliseconds: number): Promise<void> {
    const passed = Promise.withResolvers<void>();
    const waiting = this.#held.get(place) ?? [];
    this.#held.set(place, [...waiting, passed.resolve]);
    await Promise.race([passed.promise, this.#pause(milliseconds)]);
    this.#held.set(
      place,
      this.#held.get(place)!.filter((one) => one !== passed.resolve),
    );
  }

  async #pause(milliseconds: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const timer = setTimeout(over.resolve, milliseconds / this.#options.clock.pace);
    await Promise.race([over.promise, this.#stopped.promise]);
    clearTimeout(timer);
  }

  async #pauseUntil(instant: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const cancel = this.#options.clock.at(instant, over.resolve);
    await Promise.race([over.promise, this.#stopped.promise]);
    cancel();
  }
}

function isPossible({ crash, poisoned }: Crossing, fault: Fault): boolean {
  if (fault === 'crash') return crash !== undefined;
  if (fault === 'poison') return poisoned !== undefined;
  return true;
}

function failure(): AwsError {
  return new AwsError('InternalServerError', 'A fault was asked for', 500);
}

/** The physical names that a request is about. */
function resourcesOf(input: any): string[] {
  const { TransactItems, RequestItems, Entries } = input ?? {};
  const tables = (TransactItems ?? []).map((action: any) => Object.values<any>(action)[0]?.TableName);
  const buses = Array.isArray(Entries) ? Entries.map(({ EventBusName }: any) => EventBusName) : [];
  const named = [
    input?.TableName,
    input?.QueueUrl,
    input?.FunctionName,
    input?.stateMachineArn,
    input?.SecretId,
    input?.Bucket,
    input?.StreamArn,
    ...tables,
    ...Object.keys(RequestItems ?? {}),
    ...buses,
  ];
  return [...new Set(named.filter((name) => typeof name === 'string').map(nameOf))];
}
