import type { AcquirerMode, SetAcquirerMode } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import { MODES_OF_INQUIRIES } from '../domain/treatment.js';

export type ModeOperation = NonNullable<SetAcquirerMode['operation']>;

/** A row of `modes`. */
export interface ModeRow {
  readonly modeId: bigint;
  readonly mode: AcquirerMode;
  readonly operation: ModeOperation | null;
  readonly paymentId: string | null;
  readonly latencyMs: number | null;
  readonly timesLeft: number | null;
  readonly createdAt: Date;
}

const COLUMNS = `mode_id AS "modeId", mode, operation, payment_id AS "paymentId", latency_ms AS "latencyMs",
  times_left AS "timesLeft", created_at AS "createdAt"`;

/** In the place of what was set before for the same filter. */
export const setMode = async (sql: Sql, acquirer: AcquirerName, wanted: SetAcquirerMode, at: Date): Promise<void> => {
  await sql.execute(
    `INSERT INTO modes (acquirer, operation, payment_id, mode, latency_ms, times_left, created_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (acquirer, operation, payment_id) DO UPDATE
       SET mode = excluded.mode, latency_ms = excluded.latency_ms, times_left = excluded.times_left,
           created_at = excluded.created_at`,
    [
      acquirer,
      wanted.operation ?? null,
      wanted.paymentId ?? null,
      wanted.mode,
      wanted.latencyMs ?? null,
      wanted.times ?? null,
      at,
    ],
  );
};

/** What holds, the widest first. */
export const listModes = async (sql: Sql, acquirer: AcquirerName): Promise<ModeRow[]> =>
  await sql.query<ModeRow>(
    `SELECT ${COLUMNS} FROM modes WHERE acquirer = $1 AND times_left IS DISTINCT FROM 0
     ORDER BY payment_id NULLS FIRST, operation NULLS FIRST`,
    [acquirer],
  );

export const deleteModes = async (sql: Sql, acquirer: AcquirerName): Promise<void> => {
  await sql.execute('DELETE FROM modes WHERE acquirer = $1', [acquirer]);
};

export const isAnyModeSet = async (sql: Sql): Promise<boolean> => {
  const [row] = await sql.query<{ any: boolean }>(
    'SELECT EXISTS (SELECT FROM modes WHERE times_left IS DISTINCT FROM 0) AS any',
  );
  return row?.any === true;
};

/** The mode with the narrowest filter that fits: of one payment before of one kind of operation before of everything. */
export const findMode = async (
  sql: Sql,
  acquirer: AcquirerName,
  operation: ModeOperation,
  paymentId: string | undefined,
): Promise<ModeRow | undefined> => {
  const [row] = await sql.query<ModeRow>(
    `SELECT ${COLUMNS} FROM modes
     WHERE acquirer = $1 AND times_left IS DISTINCT FROM 0
       AND (operation = $2 OR (operation IS NULL AND ($2 NOT IN ('inquiry', 'dispute') OR mode = ANY ($4))))
       AND (payment_id IS NULL OR payment_id = $3)
     ORDER BY payment_id IS NOT NULL DESC, operation IS NOT NULL DESC
     LIMIT 1`,
    [acquirer, operation, paymentId ?? null, MODES_OF_INQUIRIES],
  );
  return row;
};

/** Takes one of the times for which it was set. @returns whether one was left */
export const useMode = async (sql: Sql, modeId: bigint): Promise<boolean> =>
  (await sql.execute('UPDATE modes SET times_left = times_left - 1 WHERE mode_id = $1 AND times_left > 0', [
    modeId,
  ])) === 1;

/** @returns whether it is the first time that this reference is lost */
export const loseRequest = async (sql: Sql, receiver: string, reference: string): Promise<boolean> =>
  (await sql.execute('INSERT INTO lost_requests (acquirer, reference) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
    receiver,
    reference,
  ])) === 1;
