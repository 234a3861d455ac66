import type { WalletTransactionStatus, WalletTransactionType } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `wallet_transactions`. */
export interface TransactionRow {
  readonly id: string;
  readonly type: WalletTransactionType;
  readonly status: WalletTransactionStatus;
  /** Why it FAILED. */
  readonly reason: string | null;
  readonly fromWalletId: string | null;
  readonly toWalletId: string | null;
  readonly merchantId: string | null;
  readonly paymentId: string | null;
  readonly holdId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly fromBalanceAfter: bigint | null;
  readonly toBalanceAfter: bigint | null;
  /** Of the posting by which the money left or came; null: nothing has moved. */
  readonly ledgerTransactionId: string | null;
  /** By the ledger's clock. */
  readonly postedAt: Date | null;
  /** When the ledger recorded that the money came back. */
  readonly reversedAt: Date | null;
  readonly note: string | null;
  readonly counterparty: string | null;
  readonly requestedBy: string;
  /** The idempotency key whose answer its end is. */
  readonly keyScope: string | null;
  readonly key: string | null;
  /** The UTC day on whose limit it counts (YYYY-MM-DD). */
  readonly spentOn: string | null;
  readonly version: bigint;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
}

/** With the owners of both sides. */
export interface OwnedTransactionRow extends TransactionRow {
  readonly fromOwnerId: string | null;
  readonly toOwnerId: string | null;
}

const COLUMNS = `
  t.id, t.type, t.status, t.reason, t.from_wallet_id AS "fromWalletId", t.to_wallet_id AS "toWalletId",
  t.merchant_id AS "merchantId", t.payment_id AS "paymentId", t.hold_id AS "holdId", t.amount_minor AS "amountMinor",
  t.currency, t.from_balance_after AS "fromBalanceAfter", t.to_balance_after AS "toBalanceAfter",
  t.ledger_transaction_id AS "ledgerTransactionId", t.posted_at AS "postedAt", t.reversed_at AS "reversedAt", t.note,
  t.counterparty, t.requested_by AS "requestedBy", t.key_scope AS "keyScope", t.key, t.spent_on::text AS "spentOn",
  t.version, t.created_at AS "createdAt", t.completed_at AS "completedAt"`;

const OWNED = `SELECT ${COLUMNS}, f.owner_id AS "fromOwnerId", r.owner_id AS "toOwnerId"
  FROM wallet_transactions t
  LEFT JOIN wallets f ON f.id = t.from_wallet_id
  LEFT JOIN wallets r ON r.id = t.to_wallet_id`;

/** A transaction that begins: PENDING, nothing has moved. */
export type NewTransaction = Omit<
  TransactionRow,
  | 'status'
  | 'reason'
  | 'fromBalanceAfter'
  | 'toBalanceAfter'
  | 'ledgerTransactionId'
  | 'postedAt'
  | 'reversedAt'
  | 'version'
  | 'completedAt'
>;

/** The row that {@link insertTransactions} makes of it. */
export const pendingRow = (transaction: NewTransaction): TransactionRow => ({
  ...transaction,
  status: 'PENDING',
  reason: null,
  fromBalanceAfter: null,
  toBalanceAfter: null,
  ledgerTransactionId: null,
  postedAt: null,
  reversedAt: null,
  version: 1n,
  completedAt: null,
});

export const insertTransactions = async (tx: Pick<Tx, 'execute'>, rows: readonly NewTransaction[]): Promise<void> => {
  if (rows.length === 0) return;
  await tx.execute(
    `INSERT INTO wallet_transactions (id, type, status, from_wallet_id, to_wallet_id, merchant_id, payment_id, hold_id,
                                      amount_minor, currency, note, counterparty, requested_by, key_scope, key, spent_on,
                                      created_at)
     SELECT n.id, n.type, 'PENDING', n.from_wallet_id, n.to_wallet_id, n.merchant_id, n.payment_id, n.hold_id, n.amount,
            n.currency, n.note, n.counterparty, n.requested_by, n.key_scope, n.key, n.spent_on, n.created_at
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                   $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::date[],
                   $16::timestamptz[])
         AS n (id, type, from_wallet_id, to_wallet_id, merchant_id, payment_id, hold_id, amount, currency, note,
               counterparty, requested_by, key_scope, key, spent_on, created_at)`,
    [
      rows.map((row) => row.id),
      rows.map((row) => row.type),
      rows.map((row) => row.fromWalletId),
      rows.map((row) => row.toWalletId),
      rows.map((row) => row.merchantId),
      rows.map((row) => row.paymentId),
      rows.map((row) => row.holdId),
      rows.map((row) => row.amountMinor),
      rows.map((row) => row.currency),
      rows.map((row) => row.note),
      rows.map((row) => row.counterparty),
      rows.map((row) => row.requestedBy),
      rows.map((row) => row.keyScope),
      rows.map((row) => row.key),
      rows.map((row) => row.spentOn),
      rows.map((row) => row.createdAt),
    ],
  );
};

/** What the ledger said of a PENDING transaction's posting. */
export interface Settled {
  readonly id: string;
  /** PENDING: the money has left and waits for its receiver. */
  readonly status: WalletTransactionStatus;
  readonly reason: string | null;
  readonly fromBalanceAfter: bigint | null;
  readonly toBalanceAfter: bigint | null;
  readonly ledgerTransactionId: string | null;
  readonly postedAt: Date | null;
  readonly completedAt: Date | null;
}

/** Records it for those of which nothing was recorded yet. @returns how many those were */
export const settleTransactions = async (tx: Pick<Tx, 'execute'>, settled: readonly Settled[]): Promise<number> =>
  await tx.execute(
    `UPDATE wallet_transactions t
        SET status = n.status, reason = n.reason, from_balance_after = n.from_balance, to_balance_after = n.to_balance,
            ledger_transaction_id = n.ledger_transaction_id, posted_at = n.posted_at, completed_at = n.completed_at,
            version = t.version + 1
       FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[],
                   $8::timestamptz[])
         AS n (id, status, reason, from_balance, to_balance, ledger_transaction_id, posted_at, completed_at)
      WHERE t.id = n.id AND t.status = 'PENDING' AND t.ledger_transaction_id IS NULL`,
    [
      settled.map((row) => row.id),
      settled.map((row) => row.status),
      settled.map((row) => row.reason),
      settled.map((row) => row.fromBalanceAfter),
      settled.map((row) => row.toBalanceAfter),
      settled.map((row) => row.ledgerTransactionId),
      settled.map((row) => row.postedAt),
      settled.map((row) => row.completedAt),
    ],
  );

/** Ends a transaction whose money has left already: it has arrived, or it came back. The row is locked. */
export const endTransaction = async (
  tx: Pick<Tx, 'execute'>,
  end: Pick<
    TransactionRow,
    'id' | 'status' | 'reason' | 'toWalletId' | 'toBalanceAfter' | 'reversedAt' | 'completedAt'
  >,
): Promise<void> => {
  await tx.execute(
    `UPDATE wallet_transactions
        SET status = $2, reason = $3, to_wallet_id = $4, to_balance_after = $5, reversed_at = $6, completed_at = $7,
            version = version + 1
      WHERE id = $1`,
    [end.id, end.status, end.reason, end.toWalletId, end.toBalanceAfter, end.reversedAt, end.completedAt],
  );
};

export const findTransaction = async (sql: Sql, transactionId: string): Promise<OwnedTransactionRow | undefined> => {
  const [row] = await sql.query<OwnedTransactionRow>(`${OWNED} WHERE t.id = $1`, [transactionId]);
  return row;
};

export const findTransactions = async (sql: Sql, ids: readonly string[]): Promise<OwnedTransactionRow[]> =>
  await sql.query<OwnedTransactionRow>(`${OWNED} WHERE t.id = ANY ($1::text[])`, [ids]);

export const lockTransaction = async (tx: Tx, transactionId: string): Promise<OwnedTransactionRow | undefined> => {
  const [row] = await tx.query<OwnedTransactionRow>(`${OWNED} WHERE t.id = $1 FOR NO KEY UPDATE OF t`, [transactionId]);
  return row;
};

/** A transaction in somebody's history, with the user names of both sides. */
export interface HistoryRow extends OwnedTransactionRow {
  readonly fromUsername: string | null;
  readonly toUsername: string | null;
}

const HISTORY = `SELECT ${COLUMNS}, f.owner_id AS "fromOwnerId", r.owner_id AS "toOwnerId",
       fo.username AS "fromUsername", ro.username AS "toUsername"
  FROM wallet_transactions t
  LEFT JOIN wallets f ON f.id = t.from_wallet_id
  LEFT JOIN wallets r ON r.id = t.to_wallet_id
  LEFT JOIN wallet_owners fo ON fo.user_id = f.owner_id
  LEFT JOIN wallet_owners ro ON ro.user_id = r.owner_id`;

/** A receiver sees what has arrived; a sender also what is under way and what failed. */
const ARRIVED = `(t.status = 'SUCCESS' OR t.from_wallet_id IS NULL)`;

export const findHistoryRow = async (sql: Sql, transactionId: string): Promise<HistoryRow | undefined> => {
  const [row] = await sql.query<HistoryRow>(`${HISTORY} WHERE t.id = $1`, [transactionId]);
  return row;
};

export interface HistoryFilter {
  readonly walletIds: readonly string[];
  readonly type: string | undefined;
  readonly status: string | undefined;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Newest first, behind the transaction that ended the page before. Each side by its own index. */
export const listHistory = async (
  sql: Sql,
  filter: HistoryFilter,
  before: string | undefined,
  limit: number,
): Promise<HistoryRow[]> => {
  const conditions = `
    ($2::text IS NULL OR t.type = $2) AND ($3::text IS NULL OR t.status = $3)
    AND ($4::timestamptz IS NULL OR t.created_at >= $4) AND ($5::timestamptz IS NULL OR t.created_at < $5)
    AND ($6::text IS NULL
         OR (t.created_at, t.id) < (SELECT b.created_at, b.id FROM wallet_transactions b WHERE b.id = $6))`;
  return await sql.query<HistoryRow>(
    `${HISTORY}
      WHERE t.id IN (
        SELECT s.id FROM (
          (SELECT t.id, t.created_at FROM unnest($1::text[]) AS own (id)
            CROSS JOIN LATERAL (SELECT * FROM wallet_transactions t WHERE t.from_wallet_id = own.id AND ${conditions}
                                 ORDER BY t.created_at DESC, t.id DESC LIMIT $7) AS t)
          UNION
          (SELECT t.id, t.created_at FROM unnest($1::text[]) AS own (id)
            CROSS JOIN LATERAL (SELECT * FROM wallet_transactions t
                                 WHERE t.to_wallet_id = own.id AND ${ARRIVED} AND ${conditions}
                                 ORDER BY t.created_at DESC, t.id DESC LIMIT $7) AS t)) AS s
        ORDER BY s.created_at DESC, s.id DESC LIMIT $7)
      ORDER BY t.created_at DESC, t.id DESC`,
    [
      filter.walletIds,
      filter.type ?? null,
      filter.status ?? null,
      filter.from ?? null,
      filter.to ?? null,
      before ?? null,
      limit,
    ],
  );
};

/** A movement of a wallet's money as a statement has it. */
export interface StatementLine {
  readonly at: Date;
  readonly transactionId: string;
  readonly type: WalletTransactionType;
  /** Below zero: it left. */
  readonly amountMinor: bigint;
  readonly reversal: boolean;
  readonly note: string | null;
  readonly counterparty: string | null;
}

/**
 * What moved between the two times, by the ledger's clock, in the order of that. What left and came back is two lines. Behind
 * `after`, so that a long statement is read page by page.
 */
export const statementLines = async (
  sql: Sql,
  walletId: string,
  from: Date,
  to: Date,
  after: Pick<StatementLine, 'at' | 'transactionId' | 'reversal'> | undefined,
  limit: number,
): Promise<StatementLine[]> =>
  await sql.query<StatementLine>(
    `SELECT s.* FROM (
       -- What waited for its receiver left one wallet before it reached the other.
       SELECT CASE WHEN t.from_wallet_id = $1 OR c.transaction_id IS NULL THEN t.posted_at ELSE t.completed_at END AS at,
              t.id AS "transactionId", t.type,
              CASE WHEN t.from_wallet_id = $1 THEN -t.amount_minor ELSE t.amount_minor END AS "amountMinor",
              false AS reversal, t.note,
              COALESCE(CASE WHEN t.from_wallet_id = $1 THEN t.counterparty END, o.username, other.id) AS counterparty
         FROM wallet_transactions t
         LEFT JOIN wallets other
           ON other.id = CASE WHEN t.from_wallet_id = $1 THEN t.to_wallet_id ELSE t.from_wallet_id END
         LEFT JOIN wallet_owners o ON o.user_id = other.owner_id
         LEFT JOIN wallet_claims c ON c.transaction_id = t.id
        WHERE t.ledger_transaction_id IS NOT NULL
          AND (t.from_wallet_id = $1 OR (t.to_wallet_id = $1 AND ${ARRIVED}))
       UNION ALL
       SELECT t.reversed_at, t.id, t.type, t.amount_minor, true, t.note, t.counterparty
         FROM wallet_transactions t WHERE t.from_wallet_id = $1 AND t.reversed_at IS NOT NULL) AS s
      WHERE s.at >= $2 AND s.at < $3
        AND ($4::timestamptz IS NULL OR (s.at, s."transactionId", s.reversal) > ($4, $5, $6::boolean))
      ORDER BY s.at, s."transactionId", s.reversal LIMIT $7`,
    [walletId, from, to, after?.at ?? null, after?.transactionId ?? null, after?.reversal ?? null, limit],
  );
