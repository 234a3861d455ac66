import type { Sql } from '@payflow/postgres';

export interface SettledLineRow {
  readonly id: string;
  readonly type: string;
  readonly gross_minor: bigint;
  readonly fee_minor: bigint;
  readonly currency: string;
  readonly reference: string | null;
  readonly occurred_at: Date;
  readonly available_on: Date;
  readonly settlement_id: string | null;
  readonly settlement_status: string | null;
  readonly settled_at: Date | null;
  readonly settlement_net: bigint | null;
  readonly acquirer: string | null;
  readonly payout_id: string | null;
  readonly payout_status: string | null;
  readonly payout_at: Date | null;
  readonly payout_amount: bigint | null;
  readonly payout_reason: string | null;
}

/** What a payment changed in its merchant's balance, oldest first; the batch that took each line, and the payout that paid it. */
export const settledLinesOf = async (
  sql: Sql,
  paymentId: string,
  rowsMax: number,
): Promise<readonly SettledLineRow[]> =>
  await sql.query<SettledLineRow>(
    `SELECT b.id, b.type, b.gross_minor, b.fee_minor, b.currency, b.reference, b.occurred_at, b.available_on,
            s.id AS settlement_id, s.status AS settlement_status, coalesce(s.completed_at, s.created_at) AS settled_at,
            s.net_minor AS settlement_net, s.acquirer, p.id AS payout_id, p.status AS payout_status,
            coalesce(p.ended_at, p.paid_at, p.sent_at, p.created_at) AS payout_at, p.amount_minor AS payout_amount,
            p.reason AS payout_reason
       FROM (SELECT * FROM balance_transactions WHERE payment_id = $1 ORDER BY sequence LIMIT $2) AS b
       LEFT JOIN settlements s ON s.id = b.settlement_id
       LEFT JOIN payouts p ON p.id = s.payout_id
      ORDER BY b.sequence`,
    [paymentId, rowsMax],
  );

export interface DifferenceRow {
  readonly id: string;
  readonly kind: string;
  readonly status: string;
  readonly source: string;
  readonly run_id: string;
  readonly created_at: Date;
}

/** Where somebody else's books told otherwise of the payment. */
export const differencesOf = async (sql: Sql, paymentId: string, rowsMax: number): Promise<readonly DifferenceRow[]> =>
  await sql.query<DifferenceRow>(
    `SELECT id, kind, status, source, run_id, created_at FROM settlement_exceptions
      WHERE payment_id = $1 ORDER BY id LIMIT $2`,
    [paymentId, rowsMax],
  );
