/** The limits that the simulated requests meet. All times are seconds of the simulation. */

/** Holds up to `burst` tokens and gains `rate` of them a second. */
export class Bucket {
  readonly rate: number;
  readonly #burst: number;
  #tokens: number;
  #filled = 0;

  constructor(rate: number, burst = rate) {
    this.rate = rate;
    this.#burst = burst;
    this.#tokens = burst;
  }

  /** Whether `count` tokens are there; takes nothing. */
  has(now: number, count: number): boolean {
    this.#fill(now);
    return this.#tokens >= count;
  }

  /** Takes `count` tokens; false, and none taken, when there are fewer. */
  take(now: number, count = 1): boolean {
    this.#fill(now);
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }

  /** Takes `count` tokens whenever they come, in the order of the calls. @returns how long that takes */
  wait(now: number, count = 1): number {
    this.#fill(now);
    this.#tokens -= count;
    return this.#tokens >= 0 ? 0 : -this.#tokens / this.rate;
  }

  #fill(now: number): void {
    // Infinite rates make no sense of 0 × ∞.
    if (this.rate === Number.POSITIVE_INFINITY) return;
    this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#filled) * this.rate);
    this.#filled = now;
  }
}

/** What of a table said no. */
export type TableLimit = 'table' | 'partition';

/**
 * A table's throughput in one direction. Each key lies in one partition; a partition takes its own units a second, and the
 * table no more than its quota. Burst and adaptive capacity beyond one second's units are "not guaranteed" by AWS's
 * guide and are left out, as are splits for heat, which take minutes.
 */
export class Throughput {
  readonly #partitions: readonly Bucket[];
  readonly #table: Bucket;

  /**
   * @param units a second that the table was made ready for: as many partitions as these need
   * @param quota of the table, in units a second
   */
  constructor(units: number, quota: number, ofPartition: number) {
    const usable = Math.min(units, quota);
    const partitions = Math.max(1, Math.ceil(units / ofPartition));
    this.#partitions = Array.from({ length: partitions }, () => new Bucket(ofPartition));
    this.#table = new Bucket(usable);
  }

  get partitions(): number {
    return this.#partitions.length;
  }

  /** Which limit `units` on the partition of `key` would meet at `now`, if any. */
  meets(now: number, key: number, units: number): TableLimit | undefined {
    if (!this.#partitionOf(key).has(now, units)) return 'partition';
    return this.#table.has(now, units) ? undefined : 'table';
  }

  /** Takes the units, or none. */
  take(now: number, key: number, units: number): TableLimit | undefined {
    const met = this.meets(now, key, units);
    if (met) return met;
    this.#partitionOf(key).take(now, units);
    this.#table.take(now, units);
    return undefined;
  }

  #partitionOf(key: number): Bucket {
    return this.#partitions[spread(key) % this.#partitions.length]!;
  }
}

/** A hash of 32 bits, as DynamoDB hashes partition keys: neighbours go far apart. */
function spread(key: number): number {
  let mixed = Math.imul(key ^ (key >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}

/**
 * Items that transactions write. One in flight holds its item for a known time; whoever comes in it conflicts, as DynamoDB
 * answers TransactionConflict and does not wait.
 */
export class Items {
  readonly #heldUntil: Float64Array;

  constructor(count: number) {
    this.#heldUntil = new Float64Array(count).fill(-1);
  }

  isHeld(item: number, now: number): boolean {
    return this.#heldUntil[item]! > now;
  }

  hold(item: number, until: number): void {
    this.#heldUntil[item] = until;
  }
}

/** What of Lambda said no. */
export type LambdaLimit = 'concurrency' | 'scaling';

/** Executions at once of all functions of the account. */
export class Account {
  readonly concurrency: number;
  busy = 0;

  constructor(concurrency: number) {
    this.concurrency = concurrency;
  }
}

/** A function's execution environments. */
export class Environments {
  readonly #account: Account;
  readonly #growth: Bucket;
  #idle: number[] = [];
  #count: number;

  /** @param warm environments that are there from the beginning @param per10Seconds how many it gains */
  constructor(account: Account, per10Seconds: number, warm = 0) {
    this.#account = account;
    this.#growth = new Bucket(per10Seconds / 10, per10Seconds);
    this.#count = warm;
    this.#idle = Array.from({ length: warm }, (_, index) => index);
  }

  get count(): number {
    return this.#count;
  }

  /** An environment: `cold` when it has to be made first; or what is in the way. */
  acquire(now: number): { readonly id: number; readonly cold: boolean } | LambdaLimit {
    if (this.#account.busy >= this.#account.concurrency) return 'concurrency';
    const idle = this.#idle.pop();
    if (idle === undefined && !this.#growth.take(now)) return 'scaling';
    this.#account.busy++;
    return idle === undefined ? { id: this.#count++, cold: true } : { id: idle, cold: false };
  }

  release(id: number): void {
    this.#account.busy--;
    this.#idle.push(id);
  }
}
