import type { Sql, Tx } from '@payflow/postgres';

import type { Withdrawal } from '../domain/withdraw.js';

/** A row of `wallet_withdrawals`. */
export interface WithdrawalRow extends Withdrawal {
  readonly transactionId: string;
  readonly bank: string;
  /** Null once the bank need not be told any more. */
  readonly accountSealed: Buffer | null;
  /** How often it was looked at again. */
  readonly asked: number;
}

const COLUMNS = `
  transaction_id AS "transactionId", bank, account_sealed AS "accountSealed", stage, reason, came_back AS "cameBack", asked`;

export const insertWithdrawal = async (
  tx: Tx,
  row: Pick<WithdrawalRow, 'transactionId' | 'bank' | 'accountSealed' | 'stage'>,
): Promise<void> => {
  await tx.execute(
    'INSERT INTO wallet_withdrawals (transaction_id, bank, account_sealed, stage) VALUES ($1, $2, $3, $4)',
    [row.transactionId, row.bank, row.accountSealed, row.stage],
  );
};

export const findWithdrawal = async (sql: Sql, transactionId: string): Promise<WithdrawalRow | undefined> => {
  const [row] = await sql.query<WithdrawalRow>(`SELECT ${COLUMNS} FROM wallet_withdrawals WHERE transaction_id = $1`, [
    transactionId,
  ]);
  return row;
};

export const lockWithdrawal = async (tx: Tx, transactionId: string): Promise<WithdrawalRow | undefined> => {
  const [row] = await tx.query<WithdrawalRow>(
    `SELECT ${COLUMNS} FROM wallet_withdrawals WHERE transaction_id = $1 FOR NO KEY UPDATE`,
    [transactionId],
  );
  return row;
};

/** The row is locked. The account is forgotten when the bank need not be told any more. */
export const storeWithdrawal = async (
  tx: Tx,
  transactionId: string,
  { stage, reason, cameBack }: Withdrawal,
): Promise<void> => {
  await tx.execute(
    `UPDATE wallet_withdrawals SET stage = $2, reason = $3, came_back = $4,
       account_sealed = CASE WHEN $2 IN ('DEBITING', 'SENDING') THEN account_sealed END
     WHERE transaction_id = $1`,
    [transactionId, stage, reason, cameBack],
  );
};
