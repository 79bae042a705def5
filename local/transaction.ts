import type { DatabaseSync } from 'node:sqlite';

/** Runs `work` in one SQLite transaction. It must not await: the connection is shared by every service. */
export function transaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    db.exec('ROLLBACK');
    throw error;
  }
}
