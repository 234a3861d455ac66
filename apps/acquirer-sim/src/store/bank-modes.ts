import type { BankMode, BankOperation, SetBankMode } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';

import { BANK_MODES_OF_QUESTIONS, type BankName, isQuestion } from '../domain/bank.js';

/** A row of `bank_modes`. */
export interface BankModeRow {
  readonly modeId: bigint;
  readonly mode: BankMode;
  readonly operation: BankOperation | null;
  readonly reference: string | null;
  readonly latencyMs: number | null;
  readonly timesLeft: number | null;
  readonly createdAt: Date;
}

const COLUMNS = `mode_id AS "modeId", mode, operation, reference, latency_ms AS "latencyMs", times_left AS "timesLeft",
  created_at AS "createdAt"`;

/** In the place of what was set before for the same filter. */
export const setBankMode = async (sql: Sql, bank: BankName, wanted: SetBankMode, at: Date): Promise<void> => {
  await sql.execute(
    `INSERT INTO bank_modes (bank, operation, reference, mode, latency_ms, times_left, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (bank, operation, reference) DO UPDATE
       SET mode = excluded.mode, latency_ms = excluded.latency_ms, times_left = excluded.times_left,
           created_at = excluded.created_at`,
    [
      bank,
      wanted.operation ?? null,
      wanted.reference ?? null,
      wanted.mode,
      wanted.latencyMs ?? null,
      wanted.times ?? null,
      at,
    ],
  );
};

/** What holds, the widest first. */
export const listBankModes = async (sql: Sql, bank: BankName): Promise<BankModeRow[]> =>
  await sql.query<BankModeRow>(
    `SELECT ${COLUMNS} FROM bank_modes WHERE bank = $1 AND times_left IS DISTINCT FROM 0
     ORDER BY reference NULLS FIRST, operation NULLS FIRST`,
    [bank],
  );

export const deleteBankModes = async (sql: Sql, bank: BankName): Promise<void> => {
  await sql.execute('DELETE FROM bank_modes WHERE bank = $1', [bank]);
};

/** The mode with the narrowest filter that fits. */
export const findBankMode = async (
  sql: Sql,
  bank: BankName,
  operation: BankOperation,
  reference: string | undefined,
): Promise<BankModeRow | undefined> => {
  const [row] = await sql.query<BankModeRow>(
    `SELECT ${COLUMNS} FROM bank_modes
     WHERE bank = $1 AND times_left IS DISTINCT FROM 0
       AND (operation = $2 OR (operation IS NULL AND (NOT $4::boolean OR mode = ANY ($5))))
       AND (reference IS NULL OR reference = $3)
     ORDER BY reference IS NOT NULL DESC, operation IS NOT NULL DESC
     LIMIT 1`,
    [bank, operation, reference ?? null, isQuestion(operation), BANK_MODES_OF_QUESTIONS],
  );
  return row;
};

/** Takes one of the times for which it was set. @returns whether one was left */
export const useBankMode = async (sql: Sql, modeId: bigint): Promise<boolean> =>
  (await sql.execute('UPDATE bank_modes SET times_left = times_left - 1 WHERE mode_id = $1 AND times_left > 0', [
    modeId,
  ])) === 1;
