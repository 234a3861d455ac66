import type { WalletOrderRequest } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `wallet_orders`. */
export interface OrderRow {
  readonly reference: string;
  readonly operation: WalletOrderRequest['operation'];
  readonly status: 'WAITING' | 'POSTING' | 'APPROVED' | 'DECLINED';
  readonly declineCode: string | null;
  readonly paymentId: string;
  readonly merchantId: string;
  readonly walletId: string | null;
  readonly holdId: string | null;
  /** Of a capture or a refund: what it is in the wallet's history. Of an authorization: what the owner asked for. */
  readonly transactionId: string | null;
  readonly amountMinor: bigint;
  readonly currency: string;
  readonly description: string | null;
  /** Of one that waited, or waits, for the owner's approval. */
  readonly expiresAt: Date | null;
  readonly createdAt: Date;
}

const COLUMNS = `
  o.reference, o.operation, o.status, o.decline_code AS "declineCode", o.payment_id AS "paymentId",
  o.merchant_id AS "merchantId", o.wallet_id AS "walletId", o.hold_id AS "holdId", o.transaction_id AS "transactionId",
  o.amount_minor AS "amountMinor", o.currency, o.description, o.expires_at AS "expiresAt", o.created_at AS "createdAt"`;

export const findOrder = async (sql: Sql, reference: string): Promise<OrderRow | undefined> =>
  (await sql.query<OrderRow>(`SELECT ${COLUMNS} FROM wallet_orders o WHERE o.reference = $1`, [reference]))[0];

/** For one transaction at a time, also while there is no such order. */
export const lockOrder = async (tx: Tx, reference: string): Promise<OrderRow | undefined> => {
  await tx.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 87))', [reference]);
  return await findOrder(tx, reference);
};

export const insertOrder = async (tx: Tx, order: OrderRow): Promise<void> => {
  await tx.execute(
    `INSERT INTO wallet_orders (reference, operation, status, decline_code, payment_id, merchant_id, wallet_id, hold_id,
                                transaction_id, amount_minor, currency, description, expires_at, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    [
      order.reference,
      order.operation,
      order.status,
      order.declineCode,
      order.paymentId,
      order.merchantId,
      order.walletId,
      order.holdId,
      order.transactionId,
      order.amountMinor,
      order.currency,
      order.description,
      order.expiresAt,
      order.createdAt,
    ],
  );
};

/** An approval was given, withdrawn or refused; its order is locked. */
export const moveOrder = async (
  tx: Tx,
  reference: string,
  { status, declineCode, holdId }: Pick<OrderRow, 'status' | 'declineCode' | 'holdId'>,
): Promise<void> => {
  await tx.execute('UPDATE wallet_orders SET status = $2, decline_code = $3, hold_id = $4 WHERE reference = $1', [
    reference,
    status,
    declineCode,
    holdId,
  ]);
};

/** What was decided has been posted, or was refused. A hold has one step at a time, a refund its own transaction. */
export const endOrders = async (
  tx: Tx,
  of: { readonly holdId: string } | { readonly transactionId: string },
  declineCode: string | null,
): Promise<void> => {
  const [condition, id] =
    'holdId' in of
      ? [`hold_id = $1 AND operation <> 'refund'`, of.holdId]
      : [`transaction_id = $1 AND operation = 'refund'`, of.transactionId];
  await tx.execute(
    `UPDATE wallet_orders SET status = CASE WHEN $2::text IS NULL THEN 'APPROVED' ELSE 'DECLINED' END, decline_code = $2
      WHERE ${condition} AND status = 'POSTING'`,
    [id, declineCode],
  );
};

/** What was refunded of a hold's captures, and what is being refunded. */
export const refundedOf = async (tx: Tx, holdId: string): Promise<bigint> => {
  const [row] = await tx.query<{ readonly sum: bigint }>(
    `SELECT COALESCE(sum(amount_minor), 0)::bigint AS sum FROM wallet_orders
      WHERE hold_id = $1 AND operation = 'refund' AND status IN ('POSTING', 'APPROVED')`,
    [holdId],
  );
  return row?.sum ?? 0n;
};

export interface ApprovalRow extends OrderRow {
  readonly ownerId: string;
}

export const findApproval = async (sql: Sql, reference: string): Promise<ApprovalRow | undefined> =>
  (
    await sql.query<ApprovalRow>(
      `SELECT ${COLUMNS}, w.owner_id AS "ownerId" FROM wallet_orders o JOIN wallets w ON w.id = o.wallet_id
        WHERE o.reference = $1 AND o.expires_at IS NOT NULL`,
      [reference],
    )
  )[0];

/** What this person was asked, newest first. */
export const listApprovals = async (
  sql: Sql,
  ownerId: string,
  before: string | undefined,
  limit: number,
): Promise<ApprovalRow[]> =>
  await sql.query<ApprovalRow>(
    `SELECT ${COLUMNS}, w.owner_id AS "ownerId" FROM wallets w JOIN wallet_orders o ON o.wallet_id = w.id
      WHERE w.owner_id = $1 AND o.expires_at IS NOT NULL AND ($2::text IS NULL OR o.reference < $2)
      ORDER BY o.reference DESC LIMIT $3`,
    [ownerId, before ?? null, limit],
  );
