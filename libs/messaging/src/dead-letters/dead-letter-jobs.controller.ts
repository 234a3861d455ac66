import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import {
  deadLetterJobPageSchema,
  deadLetterJobSchema,
  type DeadLetterJobView,
  type DiscardDeadLetters,
  discardDeadLettersSchema,
  DRY_RUN_LETTERS_MAX,
  type DryRunDeadLetters,
  dryRunDeadLettersSchema,
  dryRunOfManySchema,
  listDeadLetterJobsQuerySchema,
  type Principal,
  type ReplayDeadLetters,
  replayDeadLettersSchema,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { Access, type Answer, Answers, Caller, Idempotency, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import type { JobAction } from './dead-letter-job-sql.js';
import { DeadLetterJobs } from './dead-letter-jobs.js';
import { DeadLetters } from './dead-letters.js';
import { dryRunView, jobView } from './views.js';

type JobsQuery = z.infer<typeof listDeadLetterJobsQuerySchema>;

const CLAIM_LEASE_MS = 15_000;

interface Asked {
  readonly body: unknown;
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly reply: FastifyReply;
}

/** What one does with many dead letters at once. */
@Controller('/operations/dead-letters')
export class DeadLetterJobsController {
  constructor(
    private readonly jobs: DeadLetterJobs,
    private readonly deadLetters: DeadLetters,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  @Post('replay')
  @ApiOperation({
    summary: 'Try many dead letters again, at a rate: those of a group, of a list, or that fit a filter',
  })
  @Access('operations:write')
  @Answers(202, deadLetterJobSchema, 'A job that goes on in the background, also after a crash.')
  async replayMany(
    @Body({ schema: replayDeadLettersSchema }) body: ReplayDeadLetters,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.make('replay', { body, principal, meta, reply }, body);
  }

  @Post('discard')
  @ApiOperation({ summary: 'Give many dead letters up, with a reason' })
  @Access('operations:write')
  @Answers(202, deadLetterJobSchema, 'A job that goes on in the background, also after a crash.')
  async discardMany(
    @Body({ schema: discardDeadLettersSchema }) body: DiscardDeadLetters,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.make('discard', { body, principal, meta, reply }, body);
  }

  @Post('dry-run')
  @ApiOperation({ summary: 'Ask whether many dead letters would work now; the newest of them are tried' })
  @Access('operations:write')
  @Answers(200, dryRunOfManySchema, 'What a replay would do now, by outcome.')
  async dryRunMany(
    @Body({ schema: dryRunDeadLettersSchema }) body: DryRunDeadLetters,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const tried = await this.deadLetters.dryRunOfSome(body, DRY_RUN_LETTERS_MAX);
    const by = { principalId: principal.id, reason: null, jobId: null };
    await this.answerOnce('dry-run', { body, principal, meta, reply }, async (tx) => {
      await this.deadLetters.recordDryRuns(tx, tried.letters, by);
      return { status: 200, body: dryRunView(tried) };
    });
  }

  @Get('jobs')
  @ApiOperation({ summary: 'Replays and discards of many letters' })
  @Access('operations:read')
  @Answers(200, deadLetterJobPageSchema, 'Newest first.')
  async listJobs(
    @Query({ schema: listDeadLetterJobsQuerySchema }) { cursor, limit }: JobsQuery,
  ): Promise<{ data: readonly DeadLetterJobView[]; nextCursor: string | null }> {
    const { jobs, hasMore } = await this.jobs.list({ before: cursor, limit });
    return {
      data: jobs.map((job) => jobView(this.deadLetters.service, job)),
      nextCursor: hasMore ? (jobs.at(-1)?.job_id ?? null) : null,
    };
  }

  @Get('jobs/:jobId')
  @ApiOperation({ summary: 'How far a job has come, and how its letters stand now' })
  @Access('operations:read')
  @Answers(200, deadLetterJobSchema, 'The job.')
  async readJob(@Param('jobId') jobId: string): Promise<DeadLetterJobView> {
    return jobView(this.deadLetters.service, await this.jobs.get(jobId));
  }

  @Post('jobs/:jobId/cancel')
  @ApiOperation({ summary: 'Stop a job; what it has not come to stays open' })
  @Access('operations:write')
  @Answers(200, deadLetterJobSchema, 'The job as it stands; one that is over is left as it is.')
  async cancelJob(
    @Param('jobId') jobId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.answerOnce(jobId, { body: {}, principal, meta, reply }, async (tx) => ({
      status: 200,
      body: jobView(this.deadLetters.service, await this.jobs.cancel(tx, jobId)),
    }));
  }

  private async make(
    action: JobAction,
    asked: Asked,
    { reason, ratePerSecond, ...selection }: DiscardDeadLetters & { readonly ratePerSecond?: number },
  ): Promise<void> {
    await this.answerOnce(newId('dlj'), asked, async (tx, jobId) => {
      const job = await this.jobs.create(tx, {
        jobId,
        action,
        reason,
        principalId: asked.principal.id,
        selection,
        ...(ratePerSecond === undefined ? {} : { ratePerSecond }),
      });
      const location = `/operations/${this.deadLetters.service}/dead-letters/jobs/${jobId}`;
      return { status: 202, body: jobView(this.deadLetters.service, job), headers: { location } };
    });
  }

  private async answerOnce(
    resourceId: string,
    { body, principal, meta, reply }: Asked,
    work: (tx: Tx, resourceId: string) => Promise<Answer>,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId, leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    await sendAnswer(reply, await this.idempotency.runOnce(this.database, identity, options, work));
  }
}
