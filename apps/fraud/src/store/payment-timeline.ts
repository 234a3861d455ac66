import type { Sql } from '@payflow/postgres';

export interface JudgedRow {
  readonly id: string;
  readonly outcome: string;
  readonly score: number;
  readonly rules_version: bigint;
  readonly decided_at: Date;
  readonly review_id: string | null;
  readonly review_status: string | null;
  readonly review_created_at: Date | null;
  readonly review_decided_at: Date | null;
  readonly review_decided_by: string | null;
}

/** How a payment was judged, by rules and then perhaps by people. */
export const judgementsOf = async (sql: Sql, paymentId: string): Promise<readonly JudgedRow[]> =>
  await sql.query<JudgedRow>(
    `SELECT d.id, d.outcome, d.score, d.rules_version, d.decided_at, r.id AS review_id, r.status AS review_status,
            r.created_at AS review_created_at, r.decided_at AS review_decided_at, r.decided_by AS review_decided_by
       FROM fraud_decisions d LEFT JOIN fraud_reviews r ON r.decision_id = d.id
      WHERE d.subject_id = $1 ORDER BY d.decided_at`,
    [paymentId],
  );
