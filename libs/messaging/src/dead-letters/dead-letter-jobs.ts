import { DEAD_LETTERS_PER_JOB_MAX } from '@payflow/contracts';
import type { Database, Tx } from '@payflow/postgres';
import { type Logger, Problem } from '@payflow/service';

import { Loop } from '../loop.js';
import type { ConsumerBinding } from '../message.js';
import type { MessagingSettings } from '../settings.js';
import {
  advanceJob,
  cancelJob,
  type DueJob,
  insertJob,
  type JobRow,
  listJobs,
  lockDueJob,
  msUntilNextBatch,
  type NewJob,
  waitingLetters,
} from './dead-letter-job-sql.js';
import { lockLetters } from './dead-letter-set-sql.js';
import { discardLetters, replayLetters } from './settle.js';

/** A job is begun by a poke where it was made; elsewhere, and after a crash, within this time. */
const POLL_MS = 2_000;
const BATCH_LETTERS_MAX = 100;
const BATCHES_PER_SECOND = 4;
/** Discarding asks nothing of the consumers. */
const DISCARD_RATE_PER_SECOND = 1_000;

export interface JobParts {
  readonly database: Database;
  readonly logger: Logger;
  readonly settings: MessagingSettings;
  readonly bindings: ReadonlyMap<string, ConsumerBinding>;
}

/** Replays and discards of many letters, at a rate. Any number of instances may run them: a batch is one commit. */
export class DeadLetterJobs {
  private readonly loop: Loop;

  constructor(private readonly parts: JobParts) {
    this.loop = new Loop('dead letter jobs', parts.logger, POLL_MS, () => this.pass());
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  /** Chooses the letters now; their batches follow at the rate, from the commit of `tx` on. */
  async create(tx: Tx, job: Omit<NewJob, 'ratePerSecond'> & { readonly ratePerSecond?: number }): Promise<JobRow> {
    await insertJob(
      tx,
      { ...job, ratePerSecond: job.ratePerSecond ?? DISCARD_RATE_PER_SECOND },
      DEAD_LETTERS_PER_JOB_MAX,
    );
    tx.onCommit(() => {
      this.loop.poke();
    });
    return await jobOf(tx, job.jobId);
  }

  /** What is handed over already goes on; the rest of the letters stay open. @throws Problem dead_letter_job_not_found */
  async cancel(tx: Tx, jobId: string): Promise<JobRow> {
    await cancelJob(tx, jobId);
    return await jobOf(tx, jobId);
  }

  /** @throws Problem dead_letter_job_not_found */
  async get(jobId: string): Promise<JobRow> {
    return await jobOf(this.parts.database, jobId);
  }

  async list(query: {
    readonly before: string | undefined;
    readonly limit: number;
  }): Promise<{ readonly jobs: readonly JobRow[]; readonly hasMore: boolean }> {
    const jobs = await listJobs(this.parts.database, {
      jobId: undefined,
      before: query.before,
      rowsMax: query.limit + 1,
    });
    return { jobs: jobs.slice(0, query.limit), hasMore: jobs.length > query.limit };
  }

  /** @returns whether there is more to do at once */
  private async pass(): Promise<boolean> {
    const waitMs = await msUntilNextBatch(this.parts.database);
    if (waitMs === undefined) return false;
    if (waitMs > 0) await this.loop.idle(Math.min(waitMs, POLL_MS));
    else await this.parts.database.transaction((tx) => this.batch(tx));
    return true;
  }

  private async batch(tx: Tx): Promise<void> {
    const job = await lockDueJob(tx);
    if (job === undefined) return;
    const lettersMax = Math.min(BATCH_LETTERS_MAX, Math.ceil(job.rate_per_second / BATCHES_PER_SECOND));
    const taken = await waitingLetters(tx, job.job_id, lettersMax);
    const open = (await lockLetters(tx, taken)).filter(({ status }) => status === 'open');
    if (open.length > 0) await this.settle(tx, job, open);
    await advanceJob(tx, job.job_id, {
      taken,
      handled: open.length,
      isLast: taken.length < lettersMax,
      pauseMs: (taken.length / job.rate_per_second) * 1_000,
    });
  }

  private async settle(tx: Tx, job: DueJob, open: Awaited<ReturnType<typeof lockLetters>>): Promise<void> {
    const by = { principalId: job.principal_id, reason: job.reason, jobId: job.job_id };
    if (job.action === 'replay') await replayLetters(tx, open, by, this.parts.settings);
    else await discardLetters(tx, open, by, this.parts.bindings);
  }
}

const jobOf = async (sql: Parameters<typeof listJobs>[0], jobId: string): Promise<JobRow> => {
  const [job] = await listJobs(sql, { jobId, before: undefined, rowsMax: 1 });
  if (job === undefined) throw new Problem('dead_letter_job_not_found');
  return job;
};
