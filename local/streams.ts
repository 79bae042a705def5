import { DatabaseSync } from 'node:sqlite';

/** At most this many records are deleted at a time: a delete holds the lock that the table's writers need. */
const TRIM_BATCH = 500;
const LOCK_WAIT_MS = 20;

/**
 * Tells the readers of a table's stream that it was written to, so that they need not ask all the time.
 * A reader notes `version` before it reads and then waits for a later one: no write falls between the two.
 */
export class StreamSignal {
  readonly #versions = new Map<string, number>();
  readonly #waiting = new Map<string, Set<() => void>>();

  version(streamArn: string): number {
    return this.#versions.get(streamArn) ?? 0;
  }

  written(streamArn: string): void {
    this.#versions.set(streamArn, this.version(streamArn) + 1);
    const waiting = this.#waiting.get(streamArn);
    this.#waiting.delete(streamArn);
    for (const wake of waiting ?? []) wake();
  }

  /** Resolves once the stream's version is past `seen`, after `milliseconds`, or when `signal` aborts. */
  async wait(streamArn: string, seen: number, milliseconds: number, signal: AbortSignal): Promise<void> {
    if (this.version(streamArn) > seen || signal.aborted) return;
    const waiting = this.#waiting.get(streamArn) ?? new Set();
    this.#waiting.set(streamArn, waiting);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      signal.addEventListener('abort', wake);
      waiting.add(wake);
    });
  }
}

/**
 * The binary's own table of stream records. Its writes slow down with the number of records, because it looks for the
 * highest sequence number without an index; so we add that index and delete what every reader has passed.
 */
export class StreamRecords {
  readonly #db: DatabaseSync;

  constructor(file: string) {
    this.#db = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
    // The records are the binary's to make durable; our deletes may be lost and done again.
    this.#db.exec(`PRAGMA synchronous = OFF;
      CREATE INDEX IF NOT EXISTS floodgate_stream_sequence
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER))`);
  }

  /**
   * Deletes some of the table's records before `sequence` and returns how many. The last record always stays: the
   * binary numbers the next one by it.
   */
  trim(table: string, sequence: number): number {
    try {
      const { changes } = this.#db
        .prepare(
          `DELETE FROM _stream_records WHERE id IN (
             SELECT id FROM _stream_records
             WHERE table_name = :table AND CAST(sequence_number AS INTEGER) < min(:sequence,
               (SELECT max(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = :table))
             ORDER BY CAST(sequence_number AS INTEGER) LIMIT :limit)`,
        )
        .run({ table, sequence, limit: TRIM_BATCH });
      return Number(changes);
    } catch (error) {
      // The tables are being written to; another time will do.
      if ((error as { errcode?: number }).errcode === 5) return 0;
      throw error;
    }
  }

  close(): void {
    this.#db.close();
  }
}
