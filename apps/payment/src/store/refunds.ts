import type { RefundStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { Failure, Metadata, OperationState, Payment, RefundOperation } from '../domain/payment.js';
import { Conditions, type ListPosition, type Visibility } from './conditions.js';

/** The read model of a refund: one row of `refunds`. */
export interface RefundRow {
  readonly id: string;
  readonly payment_id: string;
  readonly merchant_id: string;
  readonly user_id: string | null;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: RefundStatus;
  readonly reason: string | null;
  readonly failure: Failure | null;
  readonly metadata: Metadata;
  readonly created_at: Date;
  readonly updated_at: Date;
}

/** A refund whose outcome nobody knows is PENDING, like one that was just ordered. */
export const REFUND_STATUS_OF = {
  requested: 'PENDING',
  action_required: 'PENDING',
  unanswered: 'PENDING',
  approved: 'SUCCEEDED',
  declined: 'FAILED',
  failed: 'FAILED',
} as const satisfies Readonly<Record<OperationState, RefundStatus>>;

export const refundRowOf = (payment: Payment, refund: RefundOperation): RefundRow => ({
  id: refund.id,
  payment_id: payment.paymentId,
  merchant_id: payment.merchantId,
  user_id: payment.userId,
  amount: refund.amountMinor,
  currency: payment.currency,
  status: REFUND_STATUS_OF[refund.state],
  reason: refund.reason,
  failure: refund.failure,
  metadata: refund.metadata,
  created_at: refund.startedAt,
  updated_at: refund.finishedAt ?? refund.startedAt,
});

const SELECTED =
  'id, payment_id, merchant_id, user_id, amount, currency, status, reason, failure, metadata, created_at, updated_at';

export const storeRefund = async (tx: Tx, row: RefundRow): Promise<void> => {
  await tx.execute(
    `INSERT INTO refunds (${SELECTED}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (id) DO UPDATE SET status = excluded.status, failure = excluded.failure, updated_at = excluded.updated_at`,
    [
      row.id,
      row.payment_id,
      row.merchant_id,
      row.user_id,
      row.amount,
      row.currency,
      row.status,
      row.reason,
      row.failure && JSON.stringify(row.failure),
      JSON.stringify(row.metadata),
      row.created_at,
      row.updated_at,
    ],
  );
};

export const findRefund = async (sql: Sql, refundId: string): Promise<RefundRow | undefined> =>
  (await sql.query<RefundRow>(`SELECT ${SELECTED} FROM refunds WHERE id = $1`, [refundId]))[0];

export interface RefundFilter {
  readonly paymentId?: string | undefined;
  readonly status?: RefundStatus | undefined;
  readonly visible: Visibility;
}

/** Newest first. */
export const listRefunds = async (
  sql: Sql,
  filter: RefundFilter,
  after: ListPosition | undefined,
  limit: number,
): Promise<readonly RefundRow[]> => {
  const conditions = new Conditions()
    .visibleTo(filter.visible)
    .add((p) => `payment_id = ${p}`, filter.paymentId)
    .add((p) => `status = ${p}`, filter.status)
    .behind(after);
  return await sql.query<RefundRow>(
    `SELECT ${SELECTED} FROM refunds ${conditions.where} ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.parameters,
  );
};
