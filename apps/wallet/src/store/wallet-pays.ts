import type { Sql, Tx } from '@payflow/postgres';

/** A row of `wallet_pays`. */
export interface PayRow {
  readonly reference: string | null;
  readonly description: string | null;
}

export const insertPay = async (tx: Tx, transactionId: string, { reference, description }: PayRow): Promise<void> => {
  await tx.execute('INSERT INTO wallet_pays (transaction_id, reference, description) VALUES ($1, $2, $3)', [
    transactionId,
    reference,
    description,
  ]);
};

export const findPay = async (sql: Sql, transactionId: string): Promise<PayRow | undefined> =>
  (
    await sql.query<PayRow>('SELECT reference, description FROM wallet_pays WHERE transaction_id = $1', [transactionId])
  )[0];

/** @returns whether nobody has paid it, or is paying it */
export const takeQr = async (tx: Tx, nonce: string, transactionId: string): Promise<boolean> =>
  (await tx.execute('INSERT INTO wallet_qr_uses (nonce, transaction_id) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    nonce,
    transactionId,
  ])) === 1;

export const giveQrBack = async (tx: Tx, transactionId: string): Promise<void> => {
  await tx.execute('DELETE FROM wallet_qr_uses WHERE transaction_id = $1', [transactionId]);
};

/** The transaction is locked: from now on it belongs to this payment. */
export const linkPayment = async (
  tx: Tx,
  transactionId: string,
  { paymentId, holdId }: { readonly paymentId: string; readonly holdId: string | null },
): Promise<void> => {
  await tx.execute(
    'UPDATE wallet_transactions SET payment_id = $2, hold_id = COALESCE($3, hold_id), version = version + 1 WHERE id = $1',
    [transactionId, paymentId, holdId],
  );
};

/** The payment that the owner asked for and that this hold is for, while it has not ended. */
export const findAskedPay = async (
  tx: Tx,
  holdId: string,
): Promise<{ readonly id: string; readonly amountMinor: bigint } | undefined> =>
  (
    await tx.query<{ readonly id: string; readonly amountMinor: bigint }>(
      `SELECT t.id, t.amount_minor AS "amountMinor" FROM wallet_orders o JOIN wallet_transactions t ON t.id = o.transaction_id
        WHERE o.hold_id = $1 AND o.operation = 'authorize' AND t.status = 'PENDING'`,
      [holdId],
    )
  )[0];
