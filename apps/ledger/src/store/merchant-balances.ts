import type { Sql } from '@payflow/postgres';

import { merchantPayable, merchantReserve } from '../domain/chart-of-accounts.js';
import type { EntryPlace } from './journal-reads.js';

export interface MerchantBalanceRow {
  readonly currency: string;
  readonly payable: bigint;
  readonly reserve: bigint;
}

/** What we owe a merchant, and how much of it we keep back, by currency. */
export const merchantBalances = async (sql: Sql, merchantId: string): Promise<readonly MerchantBalanceRow[]> =>
  await sql.query<MerchantBalanceRow>(
    `SELECT currency, COALESCE(sum(balance) FILTER (WHERE code = $1), 0)::bigint AS payable,
            COALESCE(sum(balance) FILTER (WHERE code = $2), 0)::bigint AS reserve
       FROM accounts WHERE code IN ($1, $2)
      GROUP BY currency ORDER BY currency`,
    [merchantPayable(merchantId), merchantReserve(merchantId)],
  );

export interface BalanceTransactionRow {
  readonly id: string;
  readonly type: string;
  readonly currency: string;
  readonly gross: bigint;
  readonly fee: bigint;
  readonly payment_id: string | null;
  readonly position: bigint;
  /** Of its first leg on the account. */
  readonly line: number;
  readonly recorded_at: Date;
}

/**
 * The transactions that changed what we owe a merchant, newest first: each with what it moved, and the fee that it took. The
 * legs of a transaction lie side by side in the index entries_account, so a page reads no more than a page.
 */
export const merchantBalanceTransactions = async (
  sql: Sql,
  query: {
    readonly merchantId: string;
    readonly currency: string | null;
    readonly before: EntryPlace | null;
    readonly limit: number;
  },
): Promise<readonly BalanceTransactionRow[]> =>
  await sql.query<BalanceTransactionRow>(BALANCE_TRANSACTIONS_SQL, [
    merchantPayable(query.merchantId),
    query.currency,
    query.before?.recordedAt ?? null,
    query.before?.position ?? null,
    query.before?.line ?? null,
    query.limit,
  ]);

const BALANCE_TRANSACTIONS_SQL = `
WITH page AS (
  SELECT a.currency, moved.* FROM (SELECT seq, currency FROM accounts WHERE code = $1) AS a
   CROSS JOIN LATERAL (
     SELECT recorded_at, position, min(line) AS line,
            COALESCE(sum(CASE direction WHEN 'credit' THEN amount ELSE -amount END)
                       FILTER (WHERE entry_type <> 'FEE'), 0)::bigint AS gross,
            COALESCE(sum(CASE direction WHEN 'debit' THEN amount ELSE -amount END)
                       FILTER (WHERE entry_type = 'FEE'), 0)::bigint AS fee
       FROM entries
      WHERE account = a.seq AND ($3::timestamptz IS NULL OR (recorded_at, position) <= ($3, $4::bigint))
      GROUP BY recorded_at, position
     HAVING $3::timestamptz IS NULL OR (recorded_at, position, min(line)) < ($3, $4::bigint, $5::int)
      ORDER BY recorded_at DESC, position DESC
      LIMIT $6) AS moved
   WHERE $2::text IS NULL OR a.currency = $2
   ORDER BY recorded_at DESC, position DESC, line DESC LIMIT $6)
SELECT t.id, t.type, page.currency, page.gross, page.fee, t.payment_id, page.position, page.line, page.recorded_at
  FROM page JOIN transactions t ON t.position = page.position
 ORDER BY page.recorded_at DESC, page.position DESC, page.line DESC`;
