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

/** An open order in the hands of whoever took it up. */
export interface TakenOrder {
  readonly attempt_id: string;
  readonly payment_id: string;
  /** Another number in the row says that somebody else has taken it up since. */
  readonly fence: number;
  /** Of the schedule, this one included. */
  readonly inquiries: number;
  /** By the clock of the database, the only one that all instances share. */
  readonly taken_at: Date;
  /** When the schedule would have had it next; null for an order that was due. */
  readonly planned_at: Date | null;
}

const TAKEN = `attempt_id, payment_id, recoveries AS fence, inquiries, now() AS taken_at`;

/**
 * Takes up open orders whose time has come. Their next time is set in the same statement, so that it is the lease of
 * whoever took them: of several instances one gets each.
 */
export const takeUpDueOrders = async (sql: Sql, leaseMs: number, ordersMax: number): Promise<readonly TakenOrder[]> =>
  await sql.query<TakenOrder>(
    `UPDATE payment_attempts
        SET recoveries = recoveries + 1, inquiries = inquiries + 1,
            next_recovery_at = now() + make_interval(secs => $1::double precision / 1000)
      WHERE attempt_id IN (
        SELECT attempt_id FROM payment_attempts WHERE next_recovery_at <= now()
         ORDER BY next_recovery_at LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING ${TAKEN}, NULL::timestamptz AS planned_at`,
    [leaseMs, ordersMax],
  );

const takeUp = async (
  sql: Sql,
  attemptId: string,
  leaseMs: number,
  condition: string,
): Promise<TakenOrder | undefined> =>
  (
    await sql.query<TakenOrder>(
      `UPDATE payment_attempts
          SET recoveries = recoveries + 1, next_recovery_at = now() + make_interval(secs => $2::double precision / 1000)
         FROM (SELECT attempt_id AS id, next_recovery_at AS planned_at FROM payment_attempts
                WHERE attempt_id = $1 FOR UPDATE) planned
        WHERE attempt_id = planned.id AND ${condition}
        RETURNING ${TAKEN}, planned_at`,
      [attemptId, leaseMs],
    )
  )[0];

/** Takes an open order up before its time. Undefined for one that is closed, or that a request is just sending. */
export const takeUpOrder = async (sql: Sql, attemptId: string, leaseMs: number): Promise<TakenOrder | undefined> =>
  await takeUp(sql, attemptId, leaseMs, `(planned_at <= now() OR (planned_at IS NOT NULL AND state <> 'requested'))`);

/** Takes up an order that is to be sent by whoever recorded what it follows from. Undefined for one that is closed. */
export const takeUpOwnOrder = async (sql: Sql, attemptId: string, leaseMs: number): Promise<TakenOrder | undefined> =>
  await takeUp(sql, attemptId, leaseMs, 'planned_at IS NOT NULL');

const STILL_TAKEN = 'SELECT 1 FROM payment_attempts WHERE attempt_id = $1 AND recoveries = $2';

/** Whether nobody else has taken the order up since. */
export const isStillTaken = async (sql: Sql, order: TakenOrder): Promise<boolean> =>
  (await sql.query(STILL_TAKEN, [order.attempt_id, order.fence])).length === 1;

/** The same, and nobody can until this transaction ends. */
export const lockStillTaken = async (tx: Tx, order: TakenOrder): Promise<boolean> =>
  (await tx.query(`${STILL_TAKEN} FOR UPDATE`, [order.attempt_id, order.fence])).length === 1;

/** Gives an order back that is still open: when it is next taken up. Nothing where somebody else has it by now. */
export const giveOrderBack = async (sql: Sql, order: TakenOrder, nextAt: Date): Promise<void> => {
  await sql.execute(
    `UPDATE payment_attempts SET next_recovery_at = $3
      WHERE attempt_id = $1 AND recoveries = $2 AND next_recovery_at IS NOT NULL`,
    [order.attempt_id, order.fence, nextAt],
  );
};

/**
 * Whether anybody but the holder of this fence (0: the request itself) has sent the order, or is about to; nobody can
 * take it up any more until this transaction ends.
 */
export const lockTakenUpByOthers = async (tx: Tx, attemptId: string, fence: number): Promise<boolean> => {
  const [row] = await tx.query<{ recoveries: number }>(
    'SELECT recoveries FROM payment_attempts WHERE attempt_id = $1 FOR UPDATE',
    [attemptId],
  );
  return row !== undefined && row.recoveries > fence;
};

export interface RecoveryPlan {
  readonly inquiries: number;
  readonly next_recovery_at: Date;
}

/** How often the open orders of a payment were asked about, and when one is next; undefined when none is open. */
export const recoveryPlanOf = async (sql: Sql, paymentId: string): Promise<RecoveryPlan | undefined> => {
  const [row] = await sql.query<RecoveryPlan>(
    `SELECT inquiries, next_recovery_at FROM payment_attempts
      WHERE payment_id = $1 AND next_recovery_at IS NOT NULL ORDER BY next_recovery_at LIMIT 1`,
    [paymentId],
  );
  return row;
};

/** An order with its timer. */
export interface ListedAttempt extends AttemptRow {
  readonly inquiries: number;
  readonly next_recovery_at: Date | null;
}

export const listAttempts = async (sql: Sql, paymentId: string): Promise<readonly ListedAttempt[]> =>
  await sql.query<ListedAttempt>(
    `SELECT ${SELECTED}, inquiries, next_recovery_at FROM payment_attempts WHERE payment_id = $1 ORDER BY position`,
    [paymentId],
  );
