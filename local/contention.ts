import { AwsError } from './types.ts';

/** An item's identity across tables. */
type ItemKey = string;

interface Hold {
  /** In-flight write transactions on the item, by the token that tells one from another. */
  readonly transactions: Map<string | symbol, number>;
  /** How many single-item writes are in flight on it. */
  writes: number;
}

const MESSAGE = 'Transaction is ongoing for the item';

/**
 * The conflicts that DynamoDB reports between writes that are in flight at the same time, and that no local
 * implementation does. While the window is open a write transaction stays in flight for at least `windowMs`
 * milliseconds; single-item writes do not conflict with each other.
 */
export class ContentionWindow {
  readonly #pace: () => number;
  #windowMs: number | undefined;
  readonly #held = new Map<ItemKey, Hold>();

  /** @param pace of the cloud's clock, in whose milliseconds the window is */
  constructor(windowMs?: number, pace: () => number = () => 1) {
    this.#windowMs = windowMs;
    this.#pace = pace;
  }

  /** Opens the window for that many milliseconds per transaction, or closes it. */
  set(windowMs: number | undefined): void {
    this.#windowMs = windowMs;
  }

  /** @throws AwsError `TransactionConflictException` when a transaction is in flight on one of the items. */
  async write<T>(keys: readonly ItemKey[], run: () => Promise<T>): Promise<T> {
    if (this.#windowMs === undefined) return run();
    if (keys.some((key) => this.#held.get(key)?.transactions.size)) {
      throw new AwsError('TransactionConflictException', MESSAGE);
    }
    for (const key of keys) this.#hold(key).writes += 1;
    try {
      return await run();
    } finally {
      for (const key of keys) {
        this.#hold(key).writes -= 1;
        this.#forget(key);
      }
    }
  }

  /**
   * @param keys the item of each action, in the order of the actions
   * @param token the client's request token: a repetition does not conflict with itself
   * @throws AwsError `TransactionCanceledException` when another write is in flight on one of the items.
   */
  async transaction<T>(
    keys: readonly ItemKey[],
    token: string | undefined,
    run: () => Promise<T>,
  ): Promise<T> {
    const windowMs = this.#windowMs;
    if (windowMs === undefined) return run();
    const id = token ?? Symbol('transaction');
    this.#cancelOnConflict(keys, id);
    for (const key of keys) {
      const { transactions } = this.#hold(key);
      transactions.set(id, (transactions.get(id) ?? 0) + 1);
    }
    const elapsed = new Promise((done) => setTimeout(done, windowMs / this.#pace()));
    try {
      return await run();
    } finally {
      await elapsed;
      for (const key of keys) {
        const { transactions } = this.#hold(key);
        const left = transactions.get(id)! - 1;
        if (left > 0) transactions.set(id, left);
        else transactions.delete(id);
        this.#forget(key);
      }
    }
  }

  /** @throws AwsError `TransactionCanceledException` when a write is in flight on one of the items. */
  async readTransaction<T>(keys: readonly ItemKey[], run: () => Promise<T>): Promise<T> {
    if (this.#windowMs !== undefined) this.#cancelOnConflict(keys, undefined);
    return run();
  }

  #cancelOnConflict(keys: readonly ItemKey[], own: string | symbol | undefined): void {
    const conflicts = keys.map((key) => {
      const hold = this.#held.get(key);
      if (!hold) return false;
      return hold.writes > 0 || [...hold.transactions.keys()].some((id) => id !== own);
    });
    if (!conflicts.includes(true)) return;
    const reasons = conflicts.map((conflict) =>
      conflict ? { Code: 'TransactionConflict', Message: MESSAGE } : { Code: 'None' },
    );
    throw new AwsError(
      'TransactionCanceledException',
      'Transaction cancelled, please refer cancellation reasons for specific reasons ' +
        `[${reasons.map((reason) => reason.Code).join(', ')}]`,
      400,
      { CancellationReasons: reasons },
    );
  }

  #hold(key: ItemKey): Hold {
    let hold = this.#held.get(key);
    if (!hold) {
      hold = { transactions: new Map(), writes: 0 };
      this.#held.set(key, hold);
    }
    return hold;
  }

  #forget(key: ItemKey): void {
    const hold = this.#held.get(key);
    if (hold && hold.writes === 0 && hold.transactions.size === 0) this.#held.delete(key);
  }
}
