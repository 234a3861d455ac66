import type { Sql, Tx } from '@payflow/postgres';

import type { Failure, Operation, OperationKind, OperationState, Payment } from '../domain/payment.js';

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
  started_at: operation.startedAt,
  finished_at: operation.finishedAt,
});

const SELECTED = `attempt_id, payment_id, position, operation, acquirer, amount_minor, currency, state,
  unanswered_reason, acquirer_reference, failure, started_at, finished_at`;

export const storeAttempt = async (tx: Tx, row: AttemptRow): Promise<void> => {
  await tx.execute(
    `INSERT INTO payment_attempts (${SELECTED}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
     ON CONFLICT (attempt_id) DO UPDATE SET state = excluded.state, unanswered_reason = excluded.unanswered_reason,
       acquirer_reference = excluded.acquirer_reference, failure = excluded.failure, finished_at = excluded.finished_at`,
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
      row.started_at,
      row.finished_at,
    ],
  );
};

export const listAttempts = async (sql: Sql, paymentId: string): Promise<readonly AttemptRow[]> =>
  await sql.query<AttemptRow>(`SELECT ${SELECTED} FROM payment_attempts WHERE payment_id = $1 ORDER BY position`, [
    paymentId,
  ]);
