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
  readonly setAsideCount: number;
  /** How often it went through its merchants. */
  readonly rounds: number;
  readonly waitsUntil: Date | null;
  readonly fence: bigint;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** A run in somebody's hands. */
export type HeldRun = Pick<RunRow, 'id' | 'fence'>;

/** Longer than a chunk or a page takes. */
export const RUN_LEASE_MS = 30_000;

const COLUMNS = `id, merchant_id AS "merchantId", cutoff_at AS "cutoffAt", requested_by AS "requestedBy", phase, cursor, chunks,
  line_count AS "lineCount", settlement_count AS "settlementCount", payout_count AS "payoutCount", rounds,
  (SELECT count(*)::int FROM settlement_set_asides a WHERE a.run_id = settlement_runs.id) AS "setAsideCount",
  waits_until AS "waitsUntil", fence, created_at AS "createdAt", finished_at AS "finishedAt"`;

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
 * Takes up the oldest run that has not finished and does not wait, unless somebody has one in hand: then nobody else runs
 * anything. Runs come one after the other, and each is in one pair of hands. One that has begun goes before one with a smaller
 * id, for ids are made by clocks; and one that is half through goes before one that is left with those whom it set aside.
 */
export const takeRun = async (tx: Tx, leaseMs: number): Promise<RunRow | undefined> => {
  await tx.execute(`SELECT pg_advisory_xact_lock(hashtextextended('settlement runs', 0))`);
  const [row] = await tx.query<RunRow>(
    `UPDATE settlement_runs SET fence = fence + 1, waits_until = NULL,
            lease_until = clock_timestamp() + make_interval(secs => $1::double precision / 1000)
      WHERE id = (SELECT id FROM settlement_runs
                   WHERE phase <> 'DONE' AND (waits_until IS NULL OR waits_until <= clock_timestamp())
                   ORDER BY fence = 0, waits_until IS NOT NULL, id LIMIT 1)
        AND NOT EXISTS (SELECT FROM settlement_runs held WHERE held.phase <> 'DONE' AND held.lease_until > clock_timestamp())
  RETURNING ${COLUMNS}`,
    [leaseMs],
  );
  return row;
};

/**
 * The run as it stands, locked and its lease prolonged, if it is still in the hands of whoever has this fence: until the
 * transaction ends, nobody else takes lines.
 */
export const holdRun = async (tx: Tx, { id, fence }: HeldRun, leaseMs: number): Promise<RunRow | undefined> => {
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

/** It has gone through its merchants, and waits for those whom it set aside. */
export const letRunWait = async (tx: Tx, runId: string, pauseMs: number): Promise<void> => {
  await tx.execute(
    `UPDATE settlement_runs SET cursor = '{}', rounds = rounds + 1,
            waits_until = clock_timestamp() + make_interval(secs => $2::double precision / 1000)
      WHERE id = $1`,
    [runId, pauseMs],
  );
};

/** Another instance may go on with it. */
export const giveRunBack = async (sql: Sql, { id, fence }: HeldRun): Promise<void> => {
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
