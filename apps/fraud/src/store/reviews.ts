import type { FraudReason, FraudReviewStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `fraud_reviews` with what it is about. */
export interface ReviewRow {
  readonly id: string;
  readonly decisionId: string;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly userId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly score: number;
  readonly reasons: readonly FraudReason[];
  readonly rulesVersion: bigint;
  readonly status: FraudReviewStatus;
  readonly decideBy: Date;
  readonly createdAt: Date;
  readonly decidedAt: Date | null;
  readonly decidedBy: string | null;
  readonly reason: string | null;
}

const SELECT = `
  SELECT r.id, r.decision_id AS "decisionId", r.payment_id AS "paymentId", r.merchant_id AS "merchantId", d.user_id AS "userId",
         d.amount_minor AS "amountMinor", d.currency, d.score, d.reasons, d.rules_version AS "rulesVersion", r.status,
         r.decide_by AS "decideBy", r.created_at AS "createdAt", r.decided_at AS "decidedAt", r.decided_by AS "decidedBy",
         r.reason
    FROM fraud_reviews r JOIN fraud_decisions d ON d.id = r.decision_id`;

export const insertReview = async (
  tx: Tx,
  review: Pick<ReviewRow, 'id' | 'decisionId' | 'paymentId' | 'merchantId' | 'decideBy' | 'createdAt'>,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO fraud_reviews (id, decision_id, payment_id, merchant_id, status, decide_by, created_at)
     VALUES ($1, $2, $3, $4, 'PENDING', $5, $6)`,
    [review.id, review.decisionId, review.paymentId, review.merchantId, review.decideBy, review.createdAt],
  );
};

export const findReview = async (sql: Sql, id: string): Promise<ReviewRow | undefined> =>
  (await sql.query<ReviewRow>(`${SELECT} WHERE r.id = $1`, [id]))[0];

/** Whoever has it decides; the other waits and sees what was decided. */
export const lockReview = async (tx: Tx, id: string): Promise<ReviewRow | undefined> =>
  (await tx.query<ReviewRow>(`${SELECT} WHERE r.id = $1 FOR UPDATE OF r`, [id]))[0];

/**
 * Reviews that nobody decided in time, as far as nobody has them in hand. The lock is the lease: it ends with the transaction
 * that decides them.
 */
export const lockOverdueReviews = async (tx: Tx, limit: number): Promise<readonly ReviewRow[]> =>
  await tx.query<ReviewRow>(
    `${SELECT} WHERE r.status = 'PENDING' AND r.decide_by <= clock_timestamp()
      ORDER BY r.decide_by LIMIT $1 FOR UPDATE OF r SKIP LOCKED`,
    [limit],
  );

export interface ReviewEnd {
  readonly status: Exclude<FraudReviewStatus, 'PENDING'>;
  readonly decidedAt: Date;
  readonly decidedBy: string;
  readonly reason: string | null;
}

/** Of reviews whose rows are locked. */
export const endReviews = async (tx: Tx, ids: readonly string[], end: ReviewEnd): Promise<void> => {
  await tx.execute(
    `UPDATE fraud_reviews SET status = $2, decided_at = $3, decided_by = $4, reason = $5
      WHERE id = ANY ($1::text[]) AND status = 'PENDING'`,
    [ids, end.status, end.decidedAt, end.decidedBy, end.reason],
  );
};

export interface ReviewFilter {
  readonly status?: FraudReviewStatus | undefined;
  readonly merchantId?: string | undefined;
  readonly paymentId?: string | undefined;
}

/** Newest first, behind the one that ended the page before. */
export const listReviews = async (
  sql: Sql,
  filter: ReviewFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly ReviewRow[]> =>
  await sql.query<ReviewRow>(
    `${SELECT} WHERE ($1::text IS NULL OR r.status = $1) AND ($2::text IS NULL OR r.merchant_id = $2)
        AND ($3::text IS NULL OR r.payment_id = $3) AND ($4::text IS NULL OR r.id < $4)
      ORDER BY r.id DESC LIMIT $5`,
    [filter.status ?? null, filter.merchantId ?? null, filter.paymentId ?? null, before ?? null, limit],
  );
