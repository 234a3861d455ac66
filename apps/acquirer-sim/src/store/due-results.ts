import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import type { Verdict } from '../domain/outcome.js';

export interface DueResult {
  readonly acquirer: AcquirerName;
  readonly reference: string;
  readonly verdict: Verdict;
}

export const insertDueResult = async (
  tx: Tx,
  { acquirer, reference, verdict }: DueResult,
  dueAt: Date,
): Promise<void> => {
  await tx.execute(`INSERT INTO due_results (acquirer, reference, due_at, verdict) VALUES ($1, $2, $3, $4)`, [
    acquirer,
    reference,
    dueAt,
    JSON.stringify(verdict),
  ]);
};

/** @returns whether the timer was still set: whoever takes it away decides */
export const deleteDueResult = async (tx: Tx, acquirer: AcquirerName, reference: string): Promise<boolean> =>
  (await tx.execute('DELETE FROM due_results WHERE acquirer = $1 AND reference = $2', [acquirer, reference])) === 1;

/** What is due, the longest overdue first. */
export const listDueResults = async (sql: Sql, at: Date, limit: number): Promise<DueResult[]> =>
  await sql.query<DueResult>(
    'SELECT acquirer, reference, verdict FROM due_results WHERE due_at <= $1 ORDER BY due_at LIMIT $2',
    [at, limit],
  );

/** When the next result is due. */
export const nextDueAt = async (sql: Sql): Promise<Date | null> => {
  const [row] = await sql.query<{ at: Date | null }>('SELECT min(due_at) AS at FROM due_results');
  return row?.at ?? null;
};
