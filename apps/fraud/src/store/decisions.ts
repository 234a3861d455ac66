import type { FraudDecisionRequest, FraudOutcome, FraudReason } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { Features } from '../domain/features.js';

/** A row of `fraud_decisions`. */
export interface DecisionRow {
  readonly id: string;
  readonly requestHash: Uint8Array;
  readonly request: FraudDecisionRequest;
  readonly outcome: FraudOutcome;
  readonly score: number;
  readonly reasons: readonly FraudReason[];
  readonly shadow: readonly FraudReason[];
  readonly features: Features;
  readonly rulesVersion: bigint;
  readonly reviewId: string | null;
  readonly decideBy: Date | null;
  readonly at: Date;
  readonly decidedAt: Date;
}

const COLUMNS = `
  id, request_hash AS "requestHash", request, outcome, score, reasons, shadow, features, rules_version AS "rulesVersion",
  review_id AS "reviewId", decide_by AS "decideBy", at, decided_at AS "decidedAt"`;

/** @throws a unique violation when the subject was judged meanwhile */
export const insertDecision = async (
  tx: Tx,
  row: DecisionRow & { readonly fingerprint: string | null; readonly ip: string | null },
): Promise<void> => {
  const { request } = row;
  await tx.execute(
    `INSERT INTO fraud_decisions
       (id, subject, subject_id, request_hash, request, merchant_id, user_id, fingerprint, ip, amount_minor, currency, outcome,
        score, reasons, shadow, features, rules_version, review_id, decide_by, at, decided_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)`,
    [
      row.id,
      request.subject,
      request.subjectId,
      row.requestHash,
      JSON.stringify(request),
      request.merchantId,
      request.userId,
      row.fingerprint,
      row.ip,
      request.amount,
      request.currency,
      row.outcome,
      row.score,
      JSON.stringify(row.reasons),
      JSON.stringify(row.shadow),
      JSON.stringify(row.features),
      row.rulesVersion,
      row.reviewId,
      row.decideBy,
      row.at,
      row.decidedAt,
    ],
  );
};

export const findDecisionOf = async (sql: Sql, subjectId: string): Promise<DecisionRow | undefined> =>
  (await sql.query<DecisionRow>(`SELECT ${COLUMNS} FROM fraud_decisions WHERE subject_id = $1`, [subjectId]))[0];

export const findDecision = async (sql: Sql, id: string): Promise<DecisionRow | undefined> =>
  (await sql.query<DecisionRow>(`SELECT ${COLUMNS} FROM fraud_decisions WHERE id = $1`, [id]))[0];

export interface DecisionFilter {
  readonly paymentId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly outcome?: FraudOutcome | undefined;
}

/** Newest first, behind the one that ended the page before. */
export const listDecisions = async (
  sql: Sql,
  filter: DecisionFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly DecisionRow[]> =>
  await sql.query<DecisionRow>(
    `SELECT ${COLUMNS} FROM fraud_decisions
      WHERE ($1::text IS NULL OR subject_id = $1) AND ($2::text IS NULL OR merchant_id = $2)
        AND ($3::text IS NULL OR outcome = $3) AND ($4::text IS NULL OR id < $4)
      ORDER BY id DESC LIMIT $5`,
    [filter.paymentId ?? null, filter.merchantId ?? null, filter.outcome ?? null, before ?? null, limit],
  );

/** A decision as the past that other decisions are judged by. */
export interface PastDecision {
  readonly id: string;
  readonly request: FraudDecisionRequest;
  readonly outcome: FraudOutcome;
  readonly features: Features;
  readonly at: Date;
  readonly declinedAt: Date | null;
}

/** Newest first, from this one back to that time; of whatever merchant. */
export const listPastDecisions = async (
  sql: Sql,
  newest: string,
  since: Date,
  limit: number,
): Promise<readonly PastDecision[]> =>
  await sql.query<PastDecision>(
    `SELECT d.id, d.request, d.outcome, d.features, d.at, o.declined_at AS "declinedAt"
       FROM fraud_decisions d LEFT JOIN fraud_outcomes o ON o.payment_id = d.subject_id
      WHERE d.id <= $1 AND d.at >= $2 ORDER BY d.id DESC LIMIT $3`,
    [newest, since, limit],
  );

/** The newest, oldest of them last. */
export const newestDecisions = async (
  sql: Sql,
  merchantId: string | undefined,
  limit: number,
): Promise<readonly { readonly id: string; readonly at: Date }[]> =>
  await sql.query(
    `SELECT id, at FROM fraud_decisions WHERE $1::text IS NULL OR merchant_id = $1 ORDER BY id DESC LIMIT $2`,
    [merchantId ?? null, limit],
  );
