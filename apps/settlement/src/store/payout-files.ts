import type { Sql } from '@payflow/postgres';

/** A payout that a file can order: its account is known. */
export interface PayableRow {
  readonly id: string;
  readonly merchantId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly bank: string;
  readonly accountSealed: Buffer;
}

/** The payouts of a run that have not failed, in order. */
export const listPayable = async (sql: Sql, runId: string, limit: number): Promise<PayableRow[]> =>
  await sql.query<PayableRow>(
    `SELECT id, merchant_id AS "merchantId", amount_minor AS "amountMinor", currency, bank, account_sealed AS "accountSealed"
       FROM payouts
      WHERE run_id = $1 AND account_sealed IS NOT NULL AND status IN ('PENDING', 'IN_TRANSIT', 'PAID')
      ORDER BY id LIMIT $2`,
    [runId, limit],
  );
