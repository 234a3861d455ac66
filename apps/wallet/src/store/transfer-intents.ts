import type { Sql } from '@payflow/postgres';

/** A row of `wallet_transfer_intents`, and how the transaction with its id stands. */
export interface TransferIntentRow {
  readonly id: string;
  readonly fromUser: string;
  readonly toUser: string;
  readonly fromWalletId: string;
  readonly toWalletId: string;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly createdAt: Date;
  /** Null: it was not processed yet. */
  readonly transactionStatus: 'PENDING' | 'SUCCESS' | 'FAILED' | null;
  readonly reason: string | null;
}

const SELECT = `
  SELECT i.id, i.from_user AS "fromUser", i.to_user AS "toUser", i.from_wallet_id AS "fromWalletId",
         i.to_wallet_id AS "toWalletId", i.amount_minor AS "amountMinor", i.currency, i.created_at AS "createdAt",
         t.status AS "transactionStatus", t.reason
    FROM wallet_transfer_intents i LEFT JOIN wallet_transactions t ON t.id = i.id`;

export const insertTransferIntent = async (
  sql: Sql,
  intent: Omit<TransferIntentRow, 'transactionStatus' | 'reason'>,
): Promise<void> => {
  await sql.execute(
    `INSERT INTO wallet_transfer_intents
       (id, from_user, to_user, from_wallet_id, to_wallet_id, amount_minor, currency, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      intent.id,
      intent.fromUser,
      intent.toUser,
      intent.fromWalletId,
      intent.toWalletId,
      intent.amountMinor,
      intent.currency,
      intent.createdAt,
    ],
  );
};

export const findTransferIntent = async (sql: Sql, id: string): Promise<TransferIntentRow | undefined> => {
  const [row] = await sql.query<TransferIntentRow>(`${SELECT} WHERE i.id = $1`, [id]);
  return row;
};

/**
 * Notes under which key the intent is processed. Another key, or none, only as long as no transaction has come of it.
 *
 * @returns false when it was processed before, by another request
 */
export const claimTransferIntent = async (sql: Sql, id: string, key: string | undefined): Promise<boolean> => {
  const claimed = await sql.execute(
    `INSERT INTO wallet_transfer_intent_keys AS k (intent_id, key) VALUES ($1, $2)
     ON CONFLICT (intent_id) DO UPDATE SET key = excluded.key
      WHERE k.key = excluded.key OR NOT EXISTS (SELECT FROM wallet_transactions t WHERE t.id = k.intent_id)`,
    [id, key ?? null],
  );
  return claimed === 1;
};

/** Of a user as payer or payee, newest first. Each side by its own index. */
export const listTransferIntents = async (
  sql: Sql,
  userId: string,
  page: {
    readonly before: { readonly createdAt: Date; readonly id: string } | undefined;
    readonly from: Date | undefined;
    readonly to: Date | undefined;
    readonly limit: number;
  },
): Promise<TransferIntentRow[]> => {
  const side = (column: 'from_user' | 'to_user'): string => `
    (${SELECT} WHERE i.${column} = $1
       AND ($2::timestamptz IS NULL OR (i.created_at, i.id) < ($2, $3::text))
       AND ($4::timestamptz IS NULL OR i.created_at >= $4) AND ($5::timestamptz IS NULL OR i.created_at < $5)
     ORDER BY i.created_at DESC, i.id DESC LIMIT $6)`;
  return await sql.query<TransferIntentRow>(
    `SELECT * FROM (${side('from_user')} UNION ${side('to_user')}) AS both_sides
      ORDER BY "createdAt" DESC, id DESC LIMIT $6`,
    [userId, page.before?.createdAt ?? null, page.before?.id ?? null, page.from ?? null, page.to ?? null, page.limit],
  );
};
