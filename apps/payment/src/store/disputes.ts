import type { DisputeEvidence, DisputeStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { Dispute, DisputeOrder } from '../domain/dispute.js';
import type { Payment } from '../domain/payment.js';
import { Conditions, type ListPosition, type Visibility } from './conditions.js';

/** The read model of a dispute: one row of `disputes`. */
export interface DisputeRow {
  readonly id: string;
  readonly payment_id: string;
  readonly merchant_id: string;
  readonly acquirer: string;
  readonly acquirer_reference: string;
  readonly amount: bigint;
  readonly currency: string;
  readonly status: DisputeStatus;
  readonly reason: string;
  readonly fee_minor: bigint;
  readonly fee_returned_minor: bigint;
  readonly evidence_due_by: Date;
  readonly response: DisputeOrder | null;
  readonly responded_at: Date | null;
  readonly created_at: Date;
  readonly updated_at: Date;
  readonly closed_at: Date | null;
}

export const disputeRowOf = (payment: Payment, dispute: Dispute): DisputeRow => ({
  id: dispute.disputeId,
  payment_id: payment.paymentId,
  merchant_id: payment.merchantId,
  acquirer: dispute.acquirer,
  acquirer_reference: dispute.acquirerReference,
  amount: dispute.amountMinor,
  currency: payment.currency,
  status: dispute.status,
  reason: dispute.reason,
  fee_minor: dispute.feeMinor,
  fee_returned_minor: dispute.feeReturnedMinor,
  evidence_due_by: dispute.evidenceDueBy,
  response: dispute.response,
  responded_at: dispute.respondedAt,
  created_at: dispute.openedAt,
  updated_at: dispute.updatedAt,
  closed_at: dispute.closedAt,
});

const COLUMNS = [
  'id',
  'payment_id',
  'merchant_id',
  'acquirer',
  'acquirer_reference',
  'amount',
  'currency',
  'status',
  'reason',
  'fee_minor',
  'fee_returned_minor',
  'evidence_due_by',
  'response',
  'responded_at',
  'created_at',
  'updated_at',
  'closed_at',
] as const satisfies readonly (keyof DisputeRow)[];
const SELECTED = COLUMNS.join(', ');

const MS = `$${COLUMNS.length + 1}::double precision / 1000`;
const STORE_DISPUTE = `
  INSERT INTO disputes (${SELECTED}, next_look_at)
  VALUES (${COLUMNS.map((_, index) => `$${index + 1}`).join(', ')}, now() + make_interval(secs => ${MS}))
  ON CONFLICT (id) DO UPDATE SET status = excluded.status, fee_returned_minor = excluded.fee_returned_minor,
    response = excluded.response, responded_at = excluded.responded_at, updated_at = excluded.updated_at,
    closed_at = excluded.closed_at, fence = disputes.fence + 1, tries = 0, next_look_at = excluded.next_look_at`;

/** @param lookAfterMs when somebody looks at it; null for one that has ended */
export const storeDispute = async (tx: Tx, row: DisputeRow, lookAfterMs: number | null): Promise<void> => {
  await tx.execute(STORE_DISPUTE, [...COLUMNS.map((column) => row[column]), lookAfterMs]);
};

export const findDispute = async (sql: Sql, disputeId: string): Promise<DisputeRow | undefined> =>
  (await sql.query<DisputeRow>(`SELECT ${SELECTED} FROM disputes WHERE id = $1`, [disputeId]))[0];

export interface DisputeFilter {
  readonly paymentId?: string | undefined;
  readonly status?: DisputeStatus | undefined;
  readonly visible: Visibility;
}

/** Newest first. */
export const listDisputes = async (
  sql: Sql,
  filter: DisputeFilter,
  after: ListPosition | undefined,
  limit: number,
): Promise<readonly DisputeRow[]> => {
  const conditions = new Conditions()
    .visibleTo(filter.visible)
    .add((p) => `payment_id = ${p}`, filter.paymentId)
    .add((p) => `status = ${p}`, filter.status)
    .behind(after);
  return await sql.query<DisputeRow>(
    `SELECT ${SELECTED} FROM disputes ${conditions.where} ORDER BY created_at DESC, id DESC LIMIT ${limit}`,
    conditions.parameters,
  );
};

/** An open dispute in the hands of whoever took it up. */
export interface TakenDispute {
  readonly id: string;
  readonly payment_id: string;
  /** Another number in the row says that somebody else has changed it or taken it up since. */
  readonly fence: bigint;
  readonly tries: number;
}

/** Takes up disputes whose time has come. The next time, set in the same statement, is the lease of whoever took them. */
export const takeUpDueDisputes = async (
  sql: Sql,
  leaseMs: number,
  disputesMax: number,
): Promise<readonly TakenDispute[]> =>
  await sql.query<TakenDispute>(
    `UPDATE disputes SET fence = fence + 1, tries = tries + 1,
            next_look_at = now() + make_interval(secs => $1::double precision / 1000)
      WHERE id IN (SELECT id FROM disputes WHERE next_look_at <= now()
                    ORDER BY next_look_at LIMIT $2 FOR UPDATE SKIP LOCKED)
      RETURNING id, payment_id, fence, tries`,
    [leaseMs, disputesMax],
  );

/** Sets when it is looked at next. Nothing where it was changed meanwhile: whoever changed it has set it. */
export const giveDisputeBack = async (sql: Sql, { id, fence }: TakenDispute, lookAfterMs: number): Promise<void> => {
  await sql.execute(
    `UPDATE disputes SET next_look_at = now() + make_interval(secs => $3::double precision / 1000)
      WHERE id = $1 AND fence = $2 AND next_look_at IS NOT NULL`,
    [id, fence, lookAfterMs],
  );
};

/** The fields that were written, by name. */
export type WrittenEvidence = Readonly<Record<string, string>>;

export const findEvidence = async (sql: Sql, disputeId: string): Promise<WrittenEvidence> => {
  const [row] = await sql.query<{ fields: WrittenEvidence }>(
    'SELECT fields FROM dispute_evidence WHERE dispute_id = $1',
    [disputeId],
  );
  return row?.fields ?? {};
};

/** Adds to what was written before; an empty text takes a field away. @returns all of it */
export const mergeEvidence = async (
  tx: Tx,
  disputeId: string,
  fields: DisputeEvidence,
  changedBy: string,
): Promise<WrittenEvidence> => {
  const withNulls = Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, text === '' ? null : text]));
  const [row] = await tx.query<{ fields: WrittenEvidence }>(
    `INSERT INTO dispute_evidence (dispute_id, fields, changed_by) VALUES ($1, jsonb_strip_nulls($2::jsonb), $3)
     ON CONFLICT (dispute_id) DO UPDATE SET fields = jsonb_strip_nulls(dispute_evidence.fields || $2::jsonb),
       changed_at = now(), changed_by = excluded.changed_by
     RETURNING fields`,
    [disputeId, JSON.stringify(withNulls), changedBy],
  );
  return row?.fields ?? {};
};

/** Takes the feed of an acquirer whose time has come. @returns how far it was read; undefined while somebody else has it */
export const takeUpDisputeFeed = async (sql: Sql, acquirer: string, leaseMs: number): Promise<number | undefined> => {
  const [row] = await sql.query<{ position: bigint }>(
    `INSERT INTO dispute_feeds (acquirer, next_sweep_at)
     VALUES ($1, now() + make_interval(secs => $2::double precision / 1000))
     ON CONFLICT (acquirer) DO UPDATE SET next_sweep_at = excluded.next_sweep_at
       WHERE dispute_feeds.next_sweep_at <= now()
     RETURNING position`,
    [acquirer, leaseMs],
  );
  return row && Number(row.position);
};

/** It was read so far. Never back: somebody may have been held up for longer than his lease. */
export const advanceDisputeFeed = async (sql: Sql, acquirer: string, position: number): Promise<void> => {
  await sql.execute('UPDATE dispute_feeds SET position = greatest(position, $2) WHERE acquirer = $1', [
    acquirer,
    position,
  ]);
};

export const sweepFeedAgainAfter = async (sql: Sql, acquirer: string, ms: number): Promise<void> => {
  await sql.execute(
    `UPDATE dispute_feeds SET next_sweep_at = now() + make_interval(secs => $2::double precision / 1000)
      WHERE acquirer = $1`,
    [acquirer, ms],
  );
};
