import type { SettlementRunPhase } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `settlement_runs`. */
export interface RunRow {
  readonly id: string;
  readonly merchantId: string | null;
  readonly cutoffAt: Date;
  readonly requestedBy: string | null;
  readonly phase: SettlementRunPhase;
  readonly cursor: readonly string[];
  readonly chunks: number;
  readonly lineCount: bigint;
  readonly settlementCount: number;
  readonly payoutCount: number;
  readonly fence: bigint;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

const COLUMNS = `id, merchant_id AS "merchantId", cutoff_at AS "cutoffAt", requested_by AS "requestedBy", phase, cursor, chunks,
  line_count AS "lineCount", settlement_count AS "settlementCount", payout_count AS "payoutCount", fence,
  created_at AS "createdAt", finished_at AS "finishedAt"`;

export const insertRun = async (
  tx: Pick<Tx, 'execute'>,
  run: Pick<RunRow, 'id' | 'merchantId' | 'cutoffAt' | 'requestedBy'> & { readonly scheduledFor: Date | null },
): Promise<boolean> =>
  (await tx.execute(
    `INSERT INTO settlement_runs (id, merchant_id, cutoff_at, requested_by, scheduled_for) VALUES ($1, $2, least($3, now()), $4, $5)
     ON CONFLICT (scheduled_for) DO NOTHING`,
    [run.id, run.merchantId, run.cutoffAt, run.requestedBy, run.scheduledFor],
  )) === 1;

/**
 * Takes up the oldest run that has not finished, unless somebody has it in hand: then nobody else runs anything. Runs come one
 * after the other, and each is in one pair of hands. One that has begun goes before one with a smaller id: ids are made by clocks.
 */
export const takeRun = async (sql: Sql, leaseMs: number): Promise<RunRow | undefined> => {
  const [row] = await sql.query<RunRow>(
    `UPDATE settlement_runs SET fence = fence + 1, lease_until = clock_timestamp() + make_interval(secs => $1::double precision / 1000)
      WHERE id = (SELECT id FROM settlement_runs WHERE phase <> 'DONE' ORDER BY fence = 0, id LIMIT 1)
        AND (lease_until IS NULL OR lease_until <= clock_timestamp())
  RETURNING ${COLUMNS}`,
    [leaseMs],
  );
  return row;
};

/**
 * The run as it stands, locked and its lease prolonged, if it is still in the hands of whoever has this fence: until the
 * transaction ends, nobody else takes lines.
 */
export const holdRun = async (
  tx: Tx,
  { id, fence }: Pick<RunRow, 'id' | 'fence'>,
  leaseMs: number,
): Promise<RunRow | undefined> => {
  const [row] = await tx.query<RunRow>(
    `UPDATE settlement_runs SET lease_until = clock_timestamp() + make_interval(secs => $3::double precision / 1000)
      WHERE id = $1 AND fence = $2 AND phase <> 'DONE' RETURNING ${COLUMNS}`,
    [id, fence, leaseMs],
  );
  return row;
};

/** What one commit did. */
export interface RunProgress {
  readonly phase: SettlementRunPhase;
  readonly cursor: readonly string[];
  readonly lines?: number;
  readonly settlements?: number;
  readonly payouts?: number;
}

export const storeProgress = async (tx: Tx, runId: string, progress: RunProgress): Promise<void> => {
  await tx.execute(
    `UPDATE settlement_runs SET phase = $2, cursor = $3, chunks = chunks + CASE WHEN $4::bigint > 0 THEN 1 ELSE 0 END,
            line_count = line_count + $4, settlement_count = settlement_count + $5, payout_count = payout_count + $6,
            finished_at = CASE WHEN $2 = 'DONE' THEN clock_timestamp() END
      WHERE id = $1`,
    [runId, progress.phase, progress.cursor, progress.lines ?? 0, progress.settlements ?? 0, progress.payouts ?? 0],
  );
};

/** Another instance may go on with it. */
export const giveRunBack = async (sql: Sql, { id, fence }: Pick<RunRow, 'id' | 'fence'>): Promise<void> => {
  await sql.execute('UPDATE settlement_runs SET lease_until = NULL WHERE id = $1 AND fence = $2', [id, fence]);
};

export const findRun = async (sql: Sql, id: string): Promise<RunRow | undefined> => {
  const [row] = await sql.query<RunRow>(`SELECT ${COLUMNS} FROM settlement_runs WHERE id = $1`, [id]);
  return row;
};

/** Newest first. */
export const listRuns = async (sql: Sql, before: string | undefined, limit: number): Promise<readonly RunRow[]> =>
  await sql.query<RunRow>(
    `SELECT ${COLUMNS} FROM settlement_runs WHERE $1::text IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`,
    [before ?? null, limit],
  );
