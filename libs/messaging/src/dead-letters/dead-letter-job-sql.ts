import type { DEAD_LETTER_JOB_ACTIONS, DEAD_LETTER_JOB_STATUSES } from '@payflow/contracts';
import type { Sql } from '@payflow/postgres';

import { type Selection, SELECTED_OPEN, selectionParameters } from './dead-letter-set-sql.js';

export type JobAction = (typeof DEAD_LETTER_JOB_ACTIONS)[number];

export interface NewJob {
  readonly jobId: string;
  readonly action: JobAction;
  readonly reason: string;
  readonly principalId: string;
  readonly ratePerSecond: number;
  readonly selection: Selection;
}

/** The job, and which letters it is about: those that are open now, the oldest first. */
export const insertJob = async (tx: Sql, job: NewJob, lettersMax: number): Promise<void> => {
  await tx.execute(
    `INSERT INTO dead_letter_jobs (job_id, action, reason, principal_id, rate_per_second, total, left_out)
     VALUES ($1, $2, $3, $4, $5, 0, false)`,
    [job.jobId, job.action, job.reason, job.principalId, job.ratePerSecond],
  );
  const [chosen] = await tx.query<{ found: bigint; added: bigint }>(
    `WITH found AS MATERIALIZED (
       SELECT dead_letter_id FROM dead_letters WHERE ${SELECTED_OPEN} ORDER BY dead_letter_id LIMIT $8 + 1),
     added AS (
       INSERT INTO dead_letter_job_items (job_id, dead_letter_id)
       SELECT $7, dead_letter_id FROM found ORDER BY dead_letter_id LIMIT $8 RETURNING 1)
     SELECT (SELECT count(*) FROM found) AS found, (SELECT count(*) FROM added) AS added`,
    [...selectionParameters(job.selection), job.jobId, lettersMax],
  );
  await tx.execute(
    `UPDATE dead_letter_jobs SET total = $2, left_out = $3, status = CASE WHEN $2 = 0 THEN 'done' ELSE 'running' END,
            finished_at = CASE WHEN $2 = 0 THEN clock_timestamp() END
      WHERE job_id = $1`,
    [job.jobId, Number(chosen?.added ?? 0n), chosen !== undefined && chosen.found > chosen.added],
  );
};

export interface DueJob {
  readonly job_id: string;
  readonly action: JobAction;
  readonly reason: string;
  readonly principal_id: string;
  readonly rate_per_second: number;
}

/** How long until a job has its next batch due; undefined when none runs. */
export const msUntilNextBatch = async (sql: Sql): Promise<number | undefined> => {
  const [row] = await sql.query<{ wait_ms: number | null }>(
    `SELECT (extract(epoch FROM min(next_at) - clock_timestamp()) * 1000)::float8 AS wait_ms
       FROM dead_letter_jobs WHERE status = 'running'`,
  );
  return row?.wait_ms === null || row === undefined ? undefined : Math.max(0, row.wait_ms);
};

/** A job whose next batch is due, until the transaction ends for nobody else. */
export const lockDueJob = async (tx: Sql): Promise<DueJob | undefined> => {
  const [job] = await tx.query<DueJob>(
    `SELECT job_id, action, reason, principal_id, rate_per_second FROM dead_letter_jobs
      WHERE status = 'running' AND next_at <= clock_timestamp() ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED`,
  );
  return job;
};

/** The job's next letters, oldest first. */
export const waitingLetters = async (tx: Sql, jobId: string, lettersMax: number): Promise<readonly string[]> =>
  (
    await tx.query<{ dead_letter_id: string }>(
      `SELECT dead_letter_id FROM dead_letter_job_items WHERE job_id = $1 AND waiting ORDER BY dead_letter_id LIMIT $2`,
      [jobId, lettersMax],
    )
  ).map((row) => row.dead_letter_id);

/** In the transaction of the batch: what is done is counted with it or not at all. */
export const advanceJob = async (
  tx: Sql,
  jobId: string,
  batch: {
    readonly taken: readonly string[];
    readonly handled: number;
    readonly isLast: boolean;
    readonly pauseMs: number;
  },
): Promise<void> => {
  await tx.execute(
    `UPDATE dead_letter_job_items SET waiting = false WHERE job_id = $1 AND dead_letter_id = ANY ($2::text[])`,
    [jobId, batch.taken],
  );
  await tx.execute(
    `UPDATE dead_letter_jobs SET handled = handled + $2, skipped = skipped + $3,
            next_at = clock_timestamp() + $4 * interval '1 millisecond',
            status = CASE WHEN $5 THEN 'done' ELSE status END, finished_at = CASE WHEN $5 THEN clock_timestamp() END
      WHERE job_id = $1`,
    [jobId, batch.handled, batch.taken.length - batch.handled, batch.pauseMs, batch.isLast],
  );
};

/** @returns whether it was running */
export const cancelJob = async (tx: Sql, jobId: string): Promise<boolean> =>
  (await tx.execute(
    `UPDATE dead_letter_jobs SET status = 'canceled', finished_at = clock_timestamp()
      WHERE job_id = $1 AND status = 'running'`,
    [jobId],
  )) > 0;

export interface JobRow extends DueJob {
  readonly status: (typeof DEAD_LETTER_JOB_STATUSES)[number];
  readonly total: number;
  readonly left_out: boolean;
  readonly handled: number;
  readonly skipped: number;
  readonly created_at: Date;
  readonly finished_at: Date | null;
  readonly open: bigint;
  readonly replaying: bigint;
  readonly replayed: bigint;
  readonly discarded: bigint;
}

/** Newest first: ids sort by time. Each with how its letters stand now. */
export const listJobs = async (
  sql: Sql,
  query: { readonly jobId: string | undefined; readonly before: string | undefined; readonly rowsMax: number },
): Promise<readonly JobRow[]> =>
  await sql.query<JobRow>(
    `SELECT j.job_id, j.action, j.status, j.reason, j.principal_id, j.rate_per_second, j.total, j.left_out, j.handled,
            j.skipped, j.created_at, j.finished_at, letters.*
       FROM (SELECT * FROM dead_letter_jobs
              WHERE ($1::text IS NULL OR job_id = $1) AND ($2::text IS NULL OR job_id < $2)
              ORDER BY job_id DESC LIMIT $3) AS j
      CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE d.status = 'open') AS open, count(*) FILTER (WHERE d.status = 'replaying') AS replaying,
               count(*) FILTER (WHERE d.status = 'replayed') AS replayed,
               count(*) FILTER (WHERE d.status = 'discarded') AS discarded
          FROM dead_letter_job_items i JOIN dead_letters d USING (dead_letter_id) WHERE i.job_id = j.job_id) AS letters
      ORDER BY j.job_id DESC`,
    [query.jobId ?? null, query.before ?? null, query.rowsMax],
  );
