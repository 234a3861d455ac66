import type { Sql, Tx } from '@payflow/postgres';

import type {
  Failure,
  Operation,
  OperationKind,
  OperationState,
  Payment,
  UnwantedApproval,
} from '../domain/payment.js';

/** One order to an acquirer: a row of `payment_attempts`. */
export interface AttemptRow {
  readonly attempt_id: string;
  readonly payment_id: string;
  /** 1, 2, 3 … in the order in which they were given. */
  readonly position: number;
  readonly operation: OperationKind;
  readonly acquirer: string;
  readonly amount_minor: bigint;
  readonly currency: string;
  readonly state: OperationState;
  readonly unanswered_reason: string | null;
  readonly acquirer_reference: string | null;
  readonly failure: Failure | null;
  readonly unwanted: UnwantedApproval['cause'] | null;
  readonly started_at: Date;
  readonly finished_at: Date | null;
}

export const attemptRowOf = (payment: Payment, operation: Operation, position: number): AttemptRow => ({
  attempt_id: operation.id,
  payment_id: payment.paymentId,
  position,
  operation: operation.kind,
  acquirer: operation.acquirer,
  amount_minor: operation.amountMinor,
  currency: payment.currency,
  state: operation.state,
  unanswered_reason: operation.unansweredReason,
  acquirer_reference: operation.acquirerReference,
  failure: operation.failure,
  unwanted: operation.kind === 'authorize' ? (operation.unwanted?.cause ?? null) : null,
  started_at: operation.startedAt,
  finished_at: operation.finishedAt,
});

const SELECTED = `attempt_id, payment_id, position, operation, acquirer, amount_minor, currency, state,
  unanswered_reason, acquirer_reference, failure, unwanted, started_at, finished_at`;

/** @param recoverAfterMs when somebody else takes an open order up, unless it is closed by then */
export const storeAttempt = async (tx: Tx, row: AttemptRow, recoverAfterMs: number): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_attempts (${SELECTED}, next_recovery_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
             CASE WHEN $8 IN ('requested', 'action_required', 'unanswered')
                  THEN now() + make_interval(secs => $15::double precision / 1000) END)
     ON CONFLICT (attempt_id) DO UPDATE SET state = excluded.state, unanswered_reason = excluded.unanswered_reason,
       acquirer_reference = excluded.acquirer_reference, failure = excluded.failure,
       unwanted = excluded.unwanted, finished_at = excluded.finished_at,
       next_recovery_at = excluded.next_recovery_at`,
    [
      row.attempt_id,
      row.payment_id,
      row.position,
      row.operation,
      row.acquirer,
      row.amount_minor,
      row.currency,
      row.state,
      row.unanswered_reason,
      row.acquirer_reference,
      row.failure && JSON.stringify(row.failure),
      row.unwanted,
      row.started_at,
      row.finished_at,
      recoverAfterMs,
    ],
  );
};

export interface OpenOrder {
  readonly attempt_id: string;
  readonly payment_id: string;
}

/**
 * Takes up open orders whose time has come. Their next time is set in the same statement, so that it is the lease of
 * whoever took them: of several instances one gets each.
 *
 * @param delaysSeconds after the first, second … recovery; the last one repeats
 */
export const claimOpenOrders = async (
  sql: Sql,
  delaysSeconds: readonly number[],
  ordersMax: number,
): Promise<readonly OpenOrder[]> =>
  await sql.query<OpenOrder>(
    `UPDATE payment_attempts
        SET recoveries = recoveries + 1,
            next_recovery_at = now() + make_interval(secs => ($1::int[])[least(recoveries + 1, cardinality($1::int[]))])
      WHERE attempt_id IN (
        SELECT attempt_id FROM payment_attempts WHERE next_recovery_at <= now()
         ORDER BY next_recovery_at LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING attempt_id, payment_id`,
    [delaysSeconds, ordersMax],
  );

/** Whether recovery has ever sent the order, or is about to; nobody can take it up any more until this transaction ends. */
export const lockTakenUp = async (tx: Tx, attemptId: string): Promise<boolean> => {
  const [row] = await tx.query<{ recoveries: number }>(
    'SELECT recoveries FROM payment_attempts WHERE attempt_id = $1 FOR UPDATE',
    [attemptId],
  );
  return row !== undefined && row.recoveries > 0;
};

export interface RecoveryPlan {
  readonly recoveries: number;
  readonly next_recovery_at: Date;
}

/** How often the open orders of a payment were sent again, and when one is next; undefined when none is open. */
export const recoveryPlanOf = async (sql: Sql, paymentId: string): Promise<RecoveryPlan | undefined> => {
  const [row] = await sql.query<RecoveryPlan>(
    `SELECT recoveries, next_recovery_at FROM payment_attempts
      WHERE payment_id = $1 AND next_recovery_at IS NOT NULL ORDER BY next_recovery_at LIMIT 1`,
    [paymentId],
  );
  return row;
};

export const listAttempts = async (sql: Sql, paymentId: string): Promise<readonly AttemptRow[]> =>
  await sql.query<AttemptRow>(`SELECT ${SELECTED} FROM payment_attempts WHERE payment_id = $1 ORDER BY position`, [
    paymentId,
  ]);
