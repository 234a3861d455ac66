import type { Sql } from '@payflow/postgres';

export interface PaymentTransactionRow {
  readonly id: string;
  readonly reference: string;
  readonly type: string;
  readonly event_id: string | null;
  readonly posted_by: string | null;
  readonly reverts: string | null;
  readonly correlation_id: string | null;
  readonly recorded_at: Date;
  /** `CAPTURE 1000 USD`, for each posting. */
  readonly lines: readonly string[];
}

/** Everything that was posted about a payment, oldest first: by its events, by other services, by people. */
export const transactionsOfPayment = async (
  sql: Sql,
  paymentId: string,
  rowsMax: number,
): Promise<readonly PaymentTransactionRow[]> =>
  await sql.query<PaymentTransactionRow>(
    `SELECT t.id, t.reference, t.type, t.event_id, t.posted_by, t.reverts, t.correlation_id, t.recorded_at,
            ARRAY(SELECT e.entry_type || ' ' || e.amount || ' ' || e.currency FROM entries e
                   WHERE e.recorded_at = t.recorded_at AND e.position = t.position AND e.direction = 'credit'
                   ORDER BY e.line) AS lines
       FROM (SELECT * FROM transactions WHERE payment_id = $1 ORDER BY position LIMIT $2) AS t
      ORDER BY t.position`,
    [paymentId, rowsMax],
  );
