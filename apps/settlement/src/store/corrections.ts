import type { Sql, Tx } from '@payflow/postgres';

import type { CorrectionPosting } from '../domain/correction.js';
import type { ExceptionRow } from './settlement-exceptions.js';

export type CorrectionStatus = 'PENDING' | 'APPROVED' | 'POSTED' | 'REFUSED' | 'FAILED';

/** A row of `corrections`. */
export interface CorrectionRow {
  readonly id: string;
  readonly exceptionId: string;
  readonly status: CorrectionStatus;
  readonly postings: readonly CorrectionPosting[];
  readonly reason: string;
  readonly proposedBy: string;
  readonly proposedAt: Date;
  readonly decidedBy: string | null;
  readonly decidedAt: Date | null;
  readonly ledgerTransactionId: string | null;
  readonly failure: string | null;
}

const COLUMNS = `id, exception_id AS "exceptionId", status, postings, reason, proposed_by AS "proposedBy", proposed_at AS "proposedAt",
  decided_by AS "decidedBy", decided_at AS "decidedAt", ledger_transaction_id AS "ledgerTransactionId", failure`;

/** @returns whether none was under way */
export const insertCorrection = async (
  tx: Tx,
  correction: Pick<CorrectionRow, 'id' | 'exceptionId' | 'postings' | 'reason' | 'proposedBy' | 'proposedAt'>,
): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO corrections (id, exception_id, status, postings, reason, proposed_by, proposed_at)
     VALUES ($1, $2, 'PENDING', $3::jsonb, $4, $5, $6)
     ON CONFLICT (exception_id) WHERE status IN ('PENDING', 'APPROVED', 'POSTED') DO NOTHING`,
    [
      correction.id,
      correction.exceptionId,
      JSON.stringify(correction.postings),
      correction.reason,
      correction.proposedBy,
      correction.proposedAt,
    ],
  )) === 1;

export const lockCorrection = async (tx: Tx, exceptionId: string, id: string): Promise<CorrectionRow | undefined> => {
  const [row] = await tx.query<CorrectionRow>(
    `SELECT ${COLUMNS} FROM corrections WHERE exception_id = $1 AND id = $2 FOR UPDATE`,
    [exceptionId, id],
  );
  return row;
};

/** APPROVED: the intent to post it is committed with this; the timer sees to it whatever happens to this process. */
export const decideCorrection = async (
  tx: Tx,
  id: string,
  decided: {
    readonly status: 'APPROVED' | 'REFUSED';
    readonly by: string;
    readonly at: Date;
    readonly failure: string | null;
  },
): Promise<void> => {
  await tx.execute(
    `UPDATE corrections SET status = $2, decided_by = $3, decided_at = $4, failure = $5,
            next_attempt_at = CASE WHEN $2 = 'APPROVED' THEN clock_timestamp() END
      WHERE id = $1 AND status = 'PENDING'`,
    [id, decided.status, decided.by, decided.at, decided.failure],
  );
};

/** Takes up what is to be posted and in nobody's hands. Posting twice is harmless: the reference posts once. */
export const takeApproved = async (sql: Sql, leaseMs: number, limit: number): Promise<CorrectionRow[]> =>
  await sql.query<CorrectionRow>(
    `UPDATE corrections SET next_attempt_at = clock_timestamp() + make_interval(secs => $1::double precision / 1000)
      WHERE id IN (SELECT id FROM corrections WHERE status = 'APPROVED' AND next_attempt_at <= clock_timestamp()
                    ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
  RETURNING ${COLUMNS}`,
    [leaseMs, limit],
  );

/** @returns false when another instance was quicker */
export const endCorrection = async (
  tx: Tx,
  id: string,
  ended: {
    readonly status: 'POSTED' | 'FAILED';
    readonly ledgerTransactionId: string | null;
    readonly failure: string | null;
  },
): Promise<boolean> =>
  (await tx.execute(
    `UPDATE corrections SET status = $2, ledger_transaction_id = $3, failure = $4, next_attempt_at = NULL
      WHERE id = $1 AND status = 'APPROVED'`,
    [id, ended.status, ended.ledgerTransactionId, ended.failure],
  )) === 1;

/** Of each of these exceptions, oldest first. */
export const listCorrections = async (sql: Sql, exceptionIds: readonly string[]): Promise<CorrectionRow[]> =>
  await sql.query<CorrectionRow>(
    `SELECT ${COLUMNS} FROM corrections WHERE exception_id = ANY ($1::text[]) ORDER BY exception_id, id`,
    [exceptionIds],
  );

/** Whether a correction of another difference of this line is on its way to the ledger. */
export const isLineBeingCorrected = async (
  tx: Tx,
  { id, source, type, reference }: Pick<ExceptionRow, 'id' | 'source' | 'type' | 'reference'>,
): Promise<boolean> => {
  const rows = await tx.query(
    `SELECT FROM corrections c JOIN settlement_exceptions x ON x.id = c.exception_id
      WHERE c.status = 'APPROVED' AND x.source = $1 AND x.type = $2 AND x.reference = $3 AND x.id <> $4 LIMIT 1`,
    [source, type, reference, id],
  );
  return rows.length > 0;
};
