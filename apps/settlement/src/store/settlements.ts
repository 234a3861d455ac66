import type { SettlementStatus } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { BatchTotals } from '../domain/batch-totals.js';
import type { BalanceKey } from './merchant-balances.js';

/** A row of `settlements`: a batch. */
export interface SettlementRow {
  readonly id: string;
  readonly runId: string;
  readonly merchantId: string;
  readonly acquirer: string;
  readonly currency: string;
  readonly bank: string;
  readonly status: SettlementStatus;
  readonly cutoffAt: Date;
  readonly lineCount: bigint;
  readonly grossMinor: bigint;
  readonly refundsMinor: bigint;
  readonly disputesMinor: bigint;
  readonly feesMinor: bigint;
  readonly reservedMinor: bigint;
  readonly netMinor: bigint;
  readonly payoutId: string | null;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
}

const COLUMNS = `s.id, s.run_id AS "runId", s.merchant_id AS "merchantId", s.acquirer, s.currency, s.bank, s.status,
  s.cutoff_at AS "cutoffAt", s.line_count AS "lineCount", s.gross_minor AS "grossMinor", s.refunds_minor AS "refundsMinor",
  s.disputes_minor AS "disputesMinor", s.fees_minor AS "feesMinor", s.reserved_minor AS "reservedMinor",
  s.net_minor AS "netMinor", s.payout_id AS "payoutId", s.created_at AS "createdAt", s.completed_at AS "completedAt"`;

/** Part of a batch, as a chunk adds it. */
export interface BatchPart extends BatchTotals {
  /** Taken when the batch begins with this part. */
  readonly newId: string;
  readonly merchantId: string;
  readonly acquirer: string;
  readonly currency: string;
}

export type AddedPart = Pick<SettlementRow, 'id' | 'merchantId' | 'acquirer' | 'currency'> & {
  readonly begun: boolean;
};

/** Begins batches, and adds to those that a chunk before has begun. */
export const addToBatches = async (
  tx: Tx,
  batch: { readonly runId: string; readonly bank: string; readonly cutoffAt: Date },
  parts: readonly BatchPart[],
): Promise<readonly AddedPart[]> =>
  await tx.query<AddedPart>(
    `INSERT INTO settlements AS s (id, run_id, bank, cutoff_at, merchant_id, acquirer, currency, line_count, gross_minor,
                                   refunds_minor, disputes_minor, fees_minor)
     SELECT v.id, $1, $2, $3, v.merchant_id, v.acquirer, v.currency, v.lines, v.gross, v.refunds, v.disputes, v.fees
       FROM unnest($4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
                   $12::bigint[]) AS v (id, merchant_id, acquirer, currency, lines, gross, refunds, disputes, fees)
     ON CONFLICT (run_id, merchant_id, currency, acquirer) DO UPDATE
        SET line_count = s.line_count + excluded.line_count, gross_minor = s.gross_minor + excluded.gross_minor,
            refunds_minor = s.refunds_minor + excluded.refunds_minor, disputes_minor = s.disputes_minor + excluded.disputes_minor,
            fees_minor = s.fees_minor + excluded.fees_minor
     RETURNING s.id, s.merchant_id AS "merchantId", s.acquirer, s.currency, s.xmax = 0 AS begun`,
    [
      batch.runId,
      batch.bank,
      batch.cutoffAt,
      parts.map(({ newId }) => newId),
      parts.map(({ merchantId }) => merchantId),
      parts.map(({ acquirer }) => acquirer),
      parts.map(({ currency }) => currency),
      parts.map(({ lineCount }) => lineCount),
      parts.map(({ grossMinor }) => grossMinor),
      parts.map(({ refundsMinor }) => refundsMinor),
      parts.map(({ disputesMinor }) => disputesMinor),
      parts.map(({ feesMinor }) => feesMinor),
    ],
  );

/** What batches of this run hold already, of these. */
export const listTotals = async (
  tx: Tx,
  runId: string,
  batches: readonly Pick<SettlementRow, 'merchantId' | 'currency' | 'acquirer'>[],
): Promise<readonly (BatchTotals & Pick<SettlementRow, 'merchantId' | 'currency' | 'acquirer'>)[]> =>
  await tx.query(
    `SELECT merchant_id AS "merchantId", currency, acquirer, line_count::int AS "lineCount", gross_minor AS "grossMinor",
            refunds_minor AS "refundsMinor", disputes_minor AS "disputesMinor", fees_minor AS "feesMinor"
       FROM settlements
      WHERE run_id = $1 AND (merchant_id, currency, acquirer) IN (SELECT * FROM unnest($2::text[], $3::text[], $4::text[]))`,
    [
      runId,
      batches.map(({ merchantId }) => merchantId),
      batches.map(({ currency }) => currency),
      batches.map(({ acquirer }) => acquirer),
    ],
  );

/** Whose batches of this run are to be closed, or who has something to be paid out, in order. */
export const listGroupsToClose = async (
  tx: Tx,
  run: { readonly id: string; readonly merchantId: string | null; readonly cursor: readonly string[] },
  limit: number,
): Promise<readonly BalanceKey[]> => {
  const [merchantId = '', currency = ''] = run.cursor;
  const after = `(merchant_id, currency) > ($2, $3) AND ($4::text IS NULL OR merchant_id = $4)`;
  return await tx.query<BalanceKey>(
    `SELECT merchant_id AS "merchantId", currency FROM (
       (SELECT DISTINCT merchant_id, currency FROM settlements WHERE run_id = $1 AND status = 'OPEN' AND ${after}
         ORDER BY merchant_id, currency LIMIT $5)
       UNION
       (SELECT merchant_id, currency FROM merchant_balances WHERE available_minor > 0 AND ${after}
         ORDER BY merchant_id, currency LIMIT $5)) AS g
      ORDER BY merchant_id, currency LIMIT $5`,
    [run.id, merchantId, currency, run.merchantId, limit],
  );
};

/** What is to be closed of these merchants in these currencies: this run's batches, and those of runs that set them aside. */
export const listOpenBatches = async (
  tx: Tx,
  runId: string,
  keys: readonly BalanceKey[],
): Promise<readonly SettlementRow[]> =>
  await tx.query<SettlementRow>(
    `SELECT ${COLUMNS} FROM settlements s
      WHERE s.status = 'OPEN' AND (s.merchant_id, s.currency) IN (SELECT * FROM unnest($2::text[], $3::text[]))
        AND s.run_id = ANY (ARRAY(
              SELECT $1 UNION
              SELECT run_id FROM settlement_set_asides
               WHERE (merchant_id, currency) IN (SELECT * FROM unnest($2::text[], $3::text[]))))
      ORDER BY s.id`,
    [runId, keys.map(({ merchantId }) => merchantId), keys.map(({ currency }) => currency)],
  );

/** Batches are done: what they keep back is known. */
export const completeBatches = async (
  tx: Tx,
  batches: readonly { readonly id: string; readonly reservedMinor: bigint }[],
): Promise<void> => {
  if (batches.length === 0) return;
  await tx.execute(
    `UPDATE settlements s SET status = 'COMPLETED', completed_at = now(), reserved_minor = v.reserved
       FROM unnest($1::text[], $2::bigint[]) AS v (id, reserved) WHERE s.id = v.id AND s.status = 'OPEN'`,
    [batches.map(({ id }) => id), batches.map(({ reservedMinor }) => reservedMinor)],
  );
};

/** A payout pays every batch that was carried over up to now. @returns which */
export const payBatches = async (
  tx: Tx,
  payouts: readonly (BalanceKey & { readonly id: string })[],
): Promise<readonly { readonly id: string; readonly payoutId: string }[]> => {
  if (payouts.length === 0) return [];
  return await tx.query<{ id: string; payoutId: string }>(
    `UPDATE settlements s SET payout_id = v.payout_id FROM unnest($1::text[], $2::text[], $3::text[])
         AS v (payout_id, merchant_id, currency)
      WHERE s.merchant_id = v.merchant_id AND s.currency = v.currency AND s.payout_id IS NULL AND s.status = 'COMPLETED'
  RETURNING s.id, s.payout_id AS "payoutId"`,
    [payouts.map(({ id }) => id), payouts.map(({ merchantId }) => merchantId), payouts.map(({ currency }) => currency)],
  );
};

export const findSettlement = async (sql: Sql, id: string): Promise<SettlementRow | undefined> => {
  const [row] = await sql.query<SettlementRow>(`SELECT ${COLUMNS} FROM settlements s WHERE s.id = $1`, [id]);
  return row;
};

export interface SettlementFilter {
  readonly merchantId: string | undefined;
  readonly acquirer: string | undefined;
  readonly currency: string | undefined;
  readonly status: string | undefined;
  readonly runId: string | undefined;
}

/** Newest first. */
export const listSettlements = async (
  sql: Sql,
  filter: SettlementFilter,
  before: string | undefined,
  limit: number,
): Promise<readonly SettlementRow[]> =>
  await sql.query<SettlementRow>(
    `SELECT ${COLUMNS} FROM settlements s
      WHERE ($1::text IS NULL OR s.merchant_id = $1) AND ($2::text IS NULL OR s.acquirer = $2)
        AND ($3::text IS NULL OR s.currency = $3) AND ($4::text IS NULL OR s.status = $4)
        AND ($5::text IS NULL OR s.run_id = $5) AND ($6::text IS NULL OR s.id < $6)
      ORDER BY s.id DESC LIMIT $7`,
    [
      filter.merchantId ?? null,
      filter.acquirer ?? null,
      filter.currency ?? null,
      filter.status ?? null,
      filter.runId ?? null,
      before ?? null,
      limit,
    ],
  );
