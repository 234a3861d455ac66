import type { Sql, Tx } from '@payflow/postgres';

import type { ThrottleState } from '../domain/throttle.js';

/** Holds the subject against every other try, also of an instance beside us, until the transaction ends. */
export const lockSubject = async (tx: Tx, subject: string): Promise<ThrottleState | undefined> => {
  await tx.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [subject]);
  const rows = await tx.query<ThrottleState>(
    `SELECT failures, last_failure_at AS "lastFailureAt", blocked_until AS "blockedUntil"
       FROM login_throttle WHERE subject = $1`,
    [subject],
  );
  return rows[0];
};

export const saveThrottle = async (tx: Tx, subject: string, state: ThrottleState): Promise<void> => {
  await tx.execute(
    `INSERT INTO login_throttle (subject, failures, last_failure_at, blocked_until) VALUES ($1, $2, $3, $4)
     ON CONFLICT (subject) DO UPDATE
        SET failures = excluded.failures, last_failure_at = excluded.last_failure_at, blocked_until = excluded.blocked_until`,
    [subject, state.failures, state.lastFailureAt, state.blockedUntil],
  );
};

/** The account's count starts again after a right password. */
export const forgetSubject = async (sql: Sql, subject: string): Promise<void> => {
  await sql.execute('DELETE FROM login_throttle WHERE subject = $1', [subject]);
};

/** Takes one counted try back: it was no failure. The address's earlier ones stay. */
export const takeBackTry = async (sql: Sql, subject: string): Promise<void> => {
  await sql.execute(
    `WITH gone AS (DELETE FROM login_throttle WHERE subject = $1 AND failures = 1)
     UPDATE login_throttle SET failures = failures - 1, blocked_until = NULL WHERE subject = $1 AND failures > 1`,
    [subject],
  );
};

/** Rows that no longer count for anything. Run now and then, so that made-up names do not fill the table. */
export const deleteForgotten = async (sql: Sql, before: Date): Promise<number> =>
  await sql.execute('DELETE FROM login_throttle WHERE last_failure_at < $1', [before]);
