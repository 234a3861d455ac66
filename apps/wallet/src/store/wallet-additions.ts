import type { AddMoneyRequest, MoneyMovement } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

import type { Addition } from '../domain/add.js';

/** A row of `wallet_additions`. */
export interface AdditionRow extends Addition {
  readonly transactionId: string;
  readonly ownerId: string;
  readonly paymentMethod: AddMoneyRequest['paymentMethod'];
  readonly returnUrl: string | null;
  readonly nextAction: MoneyMovement['nextAction'];
  /** How often it was looked at again. */
  readonly asked: number;
}

const COLUMNS = `
  transaction_id AS "transactionId", owner_id AS "ownerId", payment_method AS "paymentMethod", return_url AS "returnUrl",
  stage, payment_id AS "paymentId", reason, next_action AS "nextAction", asked`;

export const insertAddition = async (
  tx: Tx,
  row: Pick<AdditionRow, 'transactionId' | 'ownerId' | 'paymentMethod' | 'returnUrl' | 'stage'>,
): Promise<void> => {
  await tx.execute(
    `INSERT INTO wallet_additions (transaction_id, owner_id, payment_method, return_url, stage)
     VALUES ($1, $2, $3, $4, $5)`,
    [row.transactionId, row.ownerId, JSON.stringify(row.paymentMethod), row.returnUrl, row.stage],
  );
};

export const findAddition = async (sql: Sql, transactionId: string): Promise<AdditionRow | undefined> => {
  const [row] = await sql.query<AdditionRow>(`SELECT ${COLUMNS} FROM wallet_additions WHERE transaction_id = $1`, [
    transactionId,
  ]);
  return row;
};

export const lockAddition = async (tx: Tx, transactionId: string): Promise<AdditionRow | undefined> => {
  const [row] = await tx.query<AdditionRow>(
    `SELECT ${COLUMNS} FROM wallet_additions WHERE transaction_id = $1 FOR NO KEY UPDATE`,
    [transactionId],
  );
  return row;
};

/** The row is locked. */
export const storeAddition = async (
  tx: Tx,
  transactionId: string,
  { stage, paymentId, reason }: Addition,
  nextAction: MoneyMovement['nextAction'],
): Promise<void> => {
  await tx.execute(
    `WITH changed AS (
       UPDATE wallet_additions SET stage = $2, payment_id = $3, reason = $4, next_action = $5 WHERE transaction_id = $1)
     UPDATE wallet_transactions SET payment_id = $3 WHERE id = $1 AND payment_id IS DISTINCT FROM $3`,
    [transactionId, stage, paymentId, reason, nextAction === null ? null : JSON.stringify(nextAction)],
  );
};

/** Counts a look at it, so that the next one is later. @returns how many there were */
export const countAsked = async (
  sql: Sql,
  table: 'wallet_additions' | 'wallet_withdrawals',
  transactionId: string,
): Promise<number> => {
  const [row] = await sql.query<{ asked: number }>(
    `UPDATE ${table} SET asked = asked + 1 WHERE transaction_id = $1 RETURNING asked`,
    [transactionId],
  );
  return row?.asked ?? 0;
};
