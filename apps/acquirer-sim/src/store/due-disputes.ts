import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';

/** A capture whose payer will dispute it. */
export interface DueDispute {
  readonly acquirer: AcquirerName;
  /** Of the capture. */
  readonly reference: string;
  readonly authorizationId: string;
  readonly amountMinor: bigint;
}

export const insertDueDispute = async (tx: Tx, due: DueDispute, dueAt: Date): Promise<void> => {
  await tx.execute(
    `INSERT INTO due_disputes (acquirer, reference, authorization_id, amount_minor, due_at) VALUES ($1, $2, $3, $4, $5)`,
    [due.acquirer, due.reference, due.authorizationId, due.amountMinor, dueAt],
  );
};

/** @returns whether the timer was still set: whoever takes it away decides */
export const deleteDueDispute = async (tx: Tx, { acquirer, reference }: DueDispute): Promise<boolean> =>
  (await tx.execute('DELETE FROM due_disputes WHERE acquirer = $1 AND reference = $2', [acquirer, reference])) === 1;

/** What is due, the longest overdue first. */
export const listDueDisputes = async (sql: Sql, at: Date, limit: number): Promise<DueDispute[]> =>
  await sql.query<DueDispute>(
    `SELECT acquirer, reference, authorization_id AS "authorizationId", amount_minor AS "amountMinor"
       FROM due_disputes WHERE due_at <= $1 ORDER BY due_at LIMIT $2`,
    [at, limit],
  );

/** What becomes of a dispute by itself. */
export interface DueDisputeState {
  readonly acquirer: AcquirerName;
  readonly disputeId: string;
  readonly status: 'WON' | 'LOST' | 'EXPIRED';
}

/** In the place of the timer that was set before. */
export const setDueDisputeState = async (tx: Tx, due: DueDisputeState, dueAt: Date): Promise<void> => {
  await tx.execute(
    `INSERT INTO due_dispute_states (acquirer, dispute_id, status, due_at) VALUES ($1, $2, $3, $4)
     ON CONFLICT (acquirer, dispute_id) DO UPDATE SET status = excluded.status, due_at = excluded.due_at`,
    [due.acquirer, due.disputeId, due.status, dueAt],
  );
};

export const deleteDueDisputeState = async (tx: Tx, acquirer: AcquirerName, disputeId: string): Promise<boolean> =>
  (await tx.execute('DELETE FROM due_dispute_states WHERE acquirer = $1 AND dispute_id = $2', [
    acquirer,
    disputeId,
  ])) === 1;

export const listDueDisputeStates = async (sql: Sql, at: Date, limit: number): Promise<DueDisputeState[]> =>
  await sql.query<DueDisputeState>(
    `SELECT acquirer, dispute_id AS "disputeId", status FROM due_dispute_states
      WHERE due_at <= $1 ORDER BY due_at LIMIT $2`,
    [at, limit],
  );

/** When the next of both is due. */
export const nextDisputeDueAt = async (sql: Sql): Promise<Date | null> => {
  const [row] = await sql.query<{ at: Date | null }>(
    'SELECT least((SELECT min(due_at) FROM due_disputes), (SELECT min(due_at) FROM due_dispute_states)) AS at',
  );
  return row?.at ?? null;
};
