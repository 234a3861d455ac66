import type { DisputeResponseKind, DisputeStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';

/** What was disputed: a row of `disputes`. */
export interface NewDispute {
  readonly acquirer: AcquirerName;
  readonly disputeId: string;
  readonly authorizationId: string;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly reason: string;
  readonly evidenceDueBy: Date;
  readonly createdAt: Date;
}

/** A dispute as it stands, or stood at this position of the feed. */
export interface DisputeRow extends NewDispute {
  readonly status: DisputeStatus;
  readonly position: bigint;
  readonly updatedAt: Date;
  readonly response: DisputeResponseKind | null;
  readonly responseReference: string | null;
}

const COLUMNS = `d.acquirer, d.dispute_id AS "disputeId", d.authorization_id AS "authorizationId",
  d.payment_id AS "paymentId", d.merchant_id AS "merchantId", d.amount_minor AS "amountMinor", d.currency, d.reason,
  d.evidence_due_by AS "evidenceDueBy", d.created_at AS "createdAt", s.status, s.position, s.created_at AS "updatedAt",
  r.response, r.reference AS "responseReference"`;
const FROM = `disputes d JOIN dispute_states s USING (acquirer, dispute_id)
  LEFT JOIN dispute_responses r USING (acquirer, dispute_id)`;

/**
 * One at a time writes disputes of this acquirer, until the transaction ends: whoever reads the feed up to a position has
 * seen all that will ever stand before it.
 */
export const lockDisputes = async (tx: Tx, acquirer: AcquirerName): Promise<void> => {
  await tx.execute('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`disputes ${acquirer}`]);
};

export const findDispute = async (
  sql: Sql,
  acquirer: AcquirerName,
  disputeId: string,
): Promise<DisputeRow | undefined> => {
  const [row] = await sql.query<DisputeRow>(
    `SELECT ${COLUMNS} FROM ${FROM} WHERE d.acquirer = $1 AND d.dispute_id = $2 ORDER BY s.position DESC LIMIT 1`,
    [acquirer, disputeId],
  );
  return row;
};

export const insertDispute = async (tx: Tx, dispute: NewDispute): Promise<void> => {
  await tx.execute(
    `INSERT INTO disputes (acquirer, dispute_id, authorization_id, payment_id, merchant_id, amount_minor, currency, reason,
       evidence_due_by, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      dispute.acquirer,
      dispute.disputeId,
      dispute.authorizationId,
      dispute.paymentId,
      dispute.merchantId,
      dispute.amountMinor,
      dispute.currency,
      dispute.reason,
      dispute.evidenceDueBy,
      dispute.createdAt,
    ],
  );
};

type Named = Pick<DisputeRow, 'acquirer' | 'disputeId'>;

/** The caller holds the lock of the disputes. */
export const insertDisputeState = async (
  tx: Tx,
  { acquirer, disputeId }: Named,
  status: DisputeStatus,
  at: Date,
): Promise<void> => {
  await tx.execute('INSERT INTO dispute_states (acquirer, dispute_id, status, created_at) VALUES ($1, $2, $3, $4)', [
    acquirer,
    disputeId,
    status,
    at,
  ]);
};

export const insertDisputeResponse = async (
  tx: Tx,
  { acquirer, disputeId }: Named,
  response: {
    readonly reference: string;
    readonly kind: DisputeResponseKind;
    readonly evidence: Readonly<Record<string, string>> | null;
  },
  at: Date,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO dispute_responses (acquirer, dispute_id, reference, response, evidence, created_at)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      acquirer,
      disputeId,
      response.reference,
      response.kind,
      response.evidence && JSON.stringify(response.evidence),
      at,
    ],
  );
};

/** How disputes changed, in order. */
export const listDisputeChanges = async (
  sql: Sql,
  acquirer: AcquirerName,
  {
    after,
    paymentId,
    limit,
  }: { readonly after: number; readonly paymentId?: string | undefined; readonly limit: number },
): Promise<DisputeRow[]> =>
  await sql.query<DisputeRow>(
    `SELECT ${COLUMNS} FROM ${FROM}
     WHERE s.acquirer = $1 AND s.position > $2 AND ($3::text IS NULL OR d.payment_id = $3)
     ORDER BY s.position LIMIT $4`,
    [acquirer, after, paymentId ?? null, limit],
  );

/** What disputes have taken back of an authorization, less what they gave back. */
export const chargedBackMinor = async (tx: Tx, acquirer: AcquirerName, authorizationId: string): Promise<bigint> => {
  const [row] = await tx.query<{ minor: bigint }>(
    `SELECT coalesce(sum(CASE c.kind WHEN 'CHARGEBACK' THEN c.amount_minor ELSE -c.amount_minor END), 0)::bigint AS minor
       FROM disputes d JOIN chargebacks c USING (acquirer, dispute_id)
      WHERE d.acquirer = $1 AND d.authorization_id = $2`,
    [acquirer, authorizationId],
  );
  return row?.minor ?? 0n;
};

export interface ChargebackRow {
  readonly position: bigint;
  readonly disputeId: string;
  readonly kind: 'CHARGEBACK' | 'CHARGEBACK_REVERSAL';
  readonly paymentId: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly createdAt: Date;
}

export const insertChargeback = async (
  tx: Tx,
  { acquirer, disputeId }: Named,
  kind: ChargebackRow['kind'],
  at: Date,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO chargebacks (acquirer, dispute_id, kind, payment_id, merchant_id, amount_minor, currency, created_at)
     SELECT acquirer, dispute_id, $3, payment_id, merchant_id, amount_minor, currency, $4
       FROM disputes WHERE acquirer = $1 AND dispute_id = $2`,
    [acquirer, disputeId, kind, at],
  );
};

/** Newest first. */
export const listChargebacks = async (
  sql: Sql,
  acquirer: AcquirerName,
  filter: { readonly paymentId?: string | undefined; readonly before?: number | undefined; readonly limit: number },
): Promise<ChargebackRow[]> =>
  await sql.query<ChargebackRow>(
    `SELECT position, dispute_id AS "disputeId", kind, payment_id AS "paymentId", merchant_id AS "merchantId",
       amount_minor AS "amountMinor", currency, created_at AS "createdAt"
     FROM chargebacks
     WHERE acquirer = $1 AND ($2::text IS NULL OR payment_id = $2) AND ($3::bigint IS NULL OR position < $3)
     ORDER BY position DESC LIMIT $4`,
    [acquirer, filter.paymentId ?? null, filter.before ?? null, filter.limit],
  );

/** The authorization of a payment that something was captured from, the latest first. */
export const findCapturedAuthorization = async (
  sql: Sql,
  acquirer: AcquirerName,
  paymentId: string,
): Promise<string | undefined> => {
  const [row] = await sql.query<{ authorizationId: string }>(
    `SELECT a.authorization_id AS "authorizationId"
       FROM operations o JOIN authorizations a USING (acquirer, reference)
      WHERE o.acquirer = $1 AND o.payment_id = $2 AND a.captured_minor > 0
      ORDER BY o.position DESC LIMIT 1`,
    [acquirer, paymentId],
  );
  return row?.authorizationId;
};
