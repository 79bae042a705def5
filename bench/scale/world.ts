import assumed from './assumptions.json' with { type: 'json' };
import { EventHeap, Random } from './engine.ts';
import { Account, Bucket, Environments, Throughput } from './limits.ts';
import type { Quotas } from './quotas.ts';
import { Tally } from './tally.ts';

export type Assumption = keyof typeof assumed.assumptions;

export function assumption(name: Assumption): number {
  return assumed.assumptions[name].value;
}

/** Who comes for what. */
export interface Scenario {
  readonly shoppers: number;
  /** `Infinity`: nobody is refused for want of goods. */
  readonly units: number;
  readonly arrivalSeconds: number;
  readonly seed: number;
  /** The model ends here at the latest, in seconds. */
  readonly endsAt: number;
  /** In place of what is assumed, for questions of "what if". */
  readonly assume?: Partial<Record<Assumption, number>>;
}

/** Of the requests' functions: an environment, or nothing because a limit was met. */
export type Acquired = { readonly id: number; readonly cold: boolean };

/** What both designs stand on: the gateway, Lambda, tables, and shoppers who come, are refused and come again. */
export class World {
  readonly heap = new EventHeap(1 << 16);
  readonly tally = new Tally();
  readonly random: Random;
  readonly scenario: Scenario;
  readonly quotas: Quotas;
  readonly gateway: Bucket;
  readonly account: Account;
  readonly invocations: Bucket;
  readonly arrivedAt: Float64Array;
  readonly tries: Uint8Array;
  readonly environment: Int32Array;
  readonly #told: Uint8Array;
  now = 0;
  #comeSoFar = 0;

  constructor(scenario: Scenario, quotas: Quotas) {
    this.scenario = scenario;
    this.quotas = quotas;
    this.random = new Random(scenario.seed);
    this.gateway = new Bucket(quotas.gatewayRate, quotas.gatewayBurst);
    this.account = new Account(quotas.concurrency);
    this.invocations = new Bucket(quotas.concurrency * quotas.requestsPerConcurrency);
    this.arrivedAt = new Float64Array(scenario.shoppers);
    this.tries = new Uint8Array(scenario.shoppers);
    this.#told = new Uint8Array(scenario.shoppers);
    this.environment = new Int32Array(scenario.shoppers).fill(-1);
  }

  assume(name: Assumption): number {
    return this.scenario.assume?.[name] ?? assumption(name);
  }

  environments(): Environments {
    const { environmentsPer10Seconds, warmEnvironments } = this.quotas;
    return new Environments(this.account, environmentsPer10Seconds, warmEnvironments);
  }

  writes(): Throughput {
    const { readyWriteUnits, tableWriteUnits, partitionWriteUnits } = this.quotas;
    return new Throughput(readyWriteUnits, tableWriteUnits, partitionWriteUnits);
  }

  reads(): Throughput {
    const { readyReadUnits, tableReadUnits, partitionReadUnits } = this.quotas;
    return new Throughput(readyReadUnits, tableReadUnits, partitionReadUnits);
  }

  /** The next shopper comes; as a Poisson process, so that a million are not in the heap at once. */
  comes(kind: number): void {
    const { shoppers, arrivalSeconds } = this.scenario;
    if (this.#comeSoFar === shoppers) return;
    const shopper = this.#comeSoFar++;
    const at = this.now + this.random.exponential(arrivalSeconds / shoppers);
    this.arrivedAt[shopper] = at;
    this.tally.arrive(at);
    this.heap.put(at, kind, shopper);
  }

  /** A request reaches the edge and the gateway. False when it is turned away there: nobody pays for it but the edge. */
  passes(bytes: number): boolean {
    this.edge(bytes);
    if (this.gateway.take(this.now)) return true;
    this.tally.meets('HTTP API requests a second', this.now);
    this.tally.refuse('429 of the gateway');
    return false;
  }

  edge(bytes: number, requests = 1): void {
    this.tally.count('cloudfront.requests', requests);
    this.tally.count('waf.requests', requests);
    this.tally.count('cloudfront.bytes', requests * bytes);
  }

  /** An environment for a shopper's request, or undefined. */
  starts(shopper: number, functions: Environments): Acquired | undefined {
    if (!this.invocations.take(this.now)) {
      this.tally.meets('Lambda invocations a second', this.now);
      return undefined;
    }
    const got = functions.acquire(this.now);
    if (typeof got === 'string') {
      this.tally.meets(`Lambda ${got}`, this.now);
      return undefined;
    }
    this.environment[shopper] = got.id;
    return got;
  }

  ends(shopper: number, functions: Environments): void {
    functions.release(this.environment[shopper]!);
    this.environment[shopper] = -1;
  }

  /** Comes back after full jitter, or goes away. */
  comesBack(shopper: number, kind: number): void {
    const cap = this.assume('retryCapSeconds');
    const most = Math.min(cap, this.assume('retryBaseSeconds') * 2 ** Math.min(10, this.tries[shopper]!));
    this.tries[shopper] = Math.min(255, this.tries[shopper]! + 1);
    const at = this.now + this.random.next() * most;
    if (at - this.arrivedAt[shopper]! > this.assume('patienceSeconds')) this.tally.gaveUp++;
    else this.heap.put(at, kind, shopper);
  }

  /** The shopper knows how it ended. */
  answered(shopper: number, after = 0): void {
    const at = this.now + after;
    this.tally.answer(at, at - this.arrivedAt[shopper]! + this.assume('networkMs') / 1000);
  }

  /** The first answer that means something to the shopper; further ones are not counted. */
  told(shopper: number): void {
    if (this.#told[shopper]) return;
    this.#told[shopper] = 1;
    this.tally.firstAnswers.add(this.now - this.arrivedAt[shopper]! + this.assume('networkMs') / 1000);
  }

  run(handle: (kind: number, subject: number) => void): Tally {
    while (this.heap.take()) {
      if (this.heap.time > this.scenario.endsAt) break;
      this.now = this.heap.time;
      handle(this.heap.kind, this.heap.subject);
    }
    return this.tally;
  }
}
