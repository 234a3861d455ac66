import type { ReconciliationRun } from '@payflow/contracts';
import type { Sql, Tx } from '@payflow/postgres';

/** A row of `reconciliation_runs`. */
export interface RunRow {
  readonly id: string;
  readonly source: string;
  readonly status: ReconciliationRun['status'];
  readonly reportId: string | null;
  readonly from: Date | null;
  readonly to: Date | null;
  readonly graceSeconds: number;
  readonly linesMatched: number;
  readonly exceptionsOpened: number;
  readonly exceptionsClosed: number;
  readonly failure: string | null;
  readonly requestedBy: string;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  readonly fence: bigint;
}

export type NewRun = Pick<
  RunRow,
  'id' | 'source' | 'reportId' | 'from' | 'to' | 'graceSeconds' | 'requestedBy' | 'createdAt'
>;

const COLUMNS = `id, source, status, report_id AS "reportId", period_from AS "from", period_to AS "to",
  grace_seconds AS "graceSeconds", lines_matched AS "linesMatched", exceptions_opened AS "exceptionsOpened",
  exceptions_closed AS "exceptionsClosed", failure, requested_by AS "requestedBy", created_at AS "createdAt",
  finished_at AS "finishedAt", fence`;

export const insertRun = async (tx: Tx, run: NewRun): Promise<void> => {
  await tx.execute(
    `INSERT INTO reconciliation_runs (id, source, status, report_id, period_from, period_to, grace_seconds, requested_by, created_at, next_attempt_at)
     VALUES ($1, $2, 'RUNNING', $3, $4, $5, $6, $7, $8, $8)`,
    [run.id, run.source, run.reportId, run.from, run.to, run.graceSeconds, run.requestedBy, run.createdAt],
  );
};

export const findRun = async (sql: Sql, id: string): Promise<RunRow | undefined> => {
  const [row] = await sql.query<RunRow>(`SELECT ${COLUMNS} FROM reconciliation_runs WHERE id = $1`, [id]);
  return row;
};

/**
 * Takes up the oldest run that is due, if no run of its source is in anybody's hands: runs of one source come one after the
 * other. Whoever had it before finds the fence raised.
 */
export const takeDueRun = async (tx: Tx, leaseMs: number): Promise<RunRow | undefined> => {
  await tx.execute(`SELECT pg_advisory_xact_lock(hashtextextended('reconciliation runs', 0))`);
  const [row] = await tx.query<RunRow>(
    `UPDATE reconciliation_runs SET fence = fence + 1, lease_until = clock_timestamp() + make_interval(secs => $1::double precision / 1000)
      WHERE id = (SELECT r.id FROM reconciliation_runs r
                   WHERE r.status = 'RUNNING' AND r.next_attempt_at <= clock_timestamp()
                     AND NOT EXISTS (SELECT FROM reconciliation_runs other
                                      WHERE other.source = r.source AND other.status = 'RUNNING'
                                        AND other.lease_until > clock_timestamp())
                   ORDER BY r.id LIMIT 1)
  RETURNING ${COLUMNS}`,
    [leaseMs],
  );
  return row;
};

/** Locks the run if it is still in these hands, and prolongs the lease. @returns whether it is */
export const holdRun = async (tx: Tx, { id, fence }: RunRow, leaseMs: number): Promise<boolean> =>
  (await tx.execute(
    `UPDATE reconciliation_runs SET lease_until = clock_timestamp() + make_interval(secs => $3::double precision / 1000)
      WHERE id = $1 AND fence = $2 AND status = 'RUNNING'`,
    [id, fence, leaseMs],
  )) === 1;

/** The report is there. */
export const setReportOfRun = async (tx: Tx, id: string, reportId: string, from: Date, to: Date): Promise<void> => {
  await tx.execute('UPDATE reconciliation_runs SET report_id = $2, period_from = $3, period_to = $4 WHERE id = $1', [
    id,
    reportId,
    from,
    to,
  ]);
};

/** What a step has done; in the transaction that did it. */
export const countInRun = async (
  tx: Tx,
  id: string,
  {
    matched = 0,
    opened = 0,
    closed = 0,
  }: { readonly matched?: number; readonly opened?: number; readonly closed?: number },
): Promise<void> => {
  await tx.execute(
    `UPDATE reconciliation_runs SET lines_matched = lines_matched + $2, exceptions_opened = exceptions_opened + $3,
            exceptions_closed = exceptions_closed + $4 WHERE id = $1`,
    [id, matched, opened, closed],
  );
};

/** @param failure why it could not be done; null: it was */
export const endRun = async (tx: Tx, { id, fence }: RunRow, failure: string | null, at: Date): Promise<void> => {
  await tx.execute(
    `UPDATE reconciliation_runs
        SET status = CASE WHEN $3::text IS NULL THEN 'DONE' ELSE 'FAILED' END, failure = $3, finished_at = $4,
            next_attempt_at = NULL, lease_until = NULL
      WHERE id = $1 AND fence = $2 AND status = 'RUNNING'`,
    [id, fence, failure, at],
  );
};

/** The other side, or the database, is away: later. */
export const postponeRun = async (sql: Sql, { id, fence }: RunRow, delayMs: number): Promise<void> => {
  await sql.execute(
    `UPDATE reconciliation_runs SET lease_until = NULL,
            next_attempt_at = clock_timestamp() + make_interval(secs => $3::double precision / 1000)
      WHERE id = $1 AND fence = $2 AND status = 'RUNNING'`,
    [id, fence, delayMs],
  );
};

/** Newest first, behind the one that ended the page before. */
export const listRuns = async (
  sql: Sql,
  filter: { readonly source?: string | undefined; readonly status?: RunRow['status'] | undefined },
  before: string | undefined,
  limit: number,
): Promise<RunRow[]> =>
  await sql.query<RunRow>(
    `SELECT ${COLUMNS} FROM reconciliation_runs
      WHERE ($1::text IS NULL OR source = $1) AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR id < $3)
      ORDER BY id DESC LIMIT $4`,
    [filter.source ?? null, filter.status ?? null, before ?? null, limit],
  );
