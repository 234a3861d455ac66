import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import {
  deadLetterActionPageSchema,
  type DeadLetterActionView,
  deadLetterDryRunSchema,
  type DeadLetterGroups,
  deadLetterGroupsSchema,
  deadLetterPageSchema,
  type DeadLetterResponse,
  deadLetterSchema,
  discardDeadLetterSchema,
  type ListDeadLetterActionsQuery,
  listDeadLetterActionsQuerySchema,
  listDeadLetterGroupsQuerySchema,
  listDeadLettersQuerySchema,
  type ParkedMessages,
  parkedMessagesSchema,
  type Principal,
  replayDeadLetterSchema,
} from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { Access, Answers, Caller, Idempotency, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { countParked } from '../inbox/parked-sql.js';
import { actionCursorOf } from './action-cursor.js';
import { DeadLetters } from './dead-letters.js';
import { maskedText } from './masked-body.js';
import { actionView, groupView, letterView, parkedView } from './views.js';

type ListQuery = z.infer<typeof listDeadLettersQuerySchema>;
type GroupsQuery = z.infer<typeof listDeadLetterGroupsQuerySchema>;
type DiscardRequest = z.infer<typeof discardDeadLetterSchema>;
type ReplayRequest = z.infer<typeof replayDeadLetterSchema>;

const CLAIM_LEASE_MS = 15_000;

/** What one looks at, and what one does with a single letter. */
@Controller('/operations/dead-letters')
export class DeadLettersController {
  constructor(
    private readonly deadLetters: DeadLetters,
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  @Get()
  @ApiOperation({ summary: 'List the dead letters of this service' })
  @Access('operations:read')
  @Answers(200, deadLetterPageSchema, 'Newest first.')
  async list(
    @Query({ schema: listDeadLettersQuerySchema }) { cursor, status, group, limit }: ListQuery,
  ): Promise<{ data: readonly DeadLetterResponse[]; nextCursor: string | null }> {
    const { letters, hasMore } = await this.deadLetters.list({ before: cursor, status, group, limit });
    return {
      data: letters.map((letter) => letterView(this.deadLetters.service, letter)),
      nextCursor: hasMore ? (letters.at(-1)?.deadLetterId ?? null) : null,
    };
  }

  @Get('groups')
  @ApiOperation({ summary: 'The dead letters by their cause, the most frequent first' })
  @Access('operations:read')
  @Answers(200, deadLetterGroupsSchema, 'Each cause with how often it was, and its newest letter.')
  async groups(@Query({ schema: listDeadLetterGroupsQuerySchema }) { status }: GroupsQuery): Promise<DeadLetterGroups> {
    const { groups, truncated } = await this.deadLetters.groups(status);
    return { data: groups.map((group) => groupView(this.deadLetters.service, group)), truncated };
  }

  @Get('actions')
  @ApiOperation({ summary: 'Who did what to which dead letter, when and why' })
  @Access('operations:read')
  @Answers(200, deadLetterActionPageSchema, 'Newest first.')
  async actions(
    @Query({ schema: listDeadLetterActionsQuerySchema }) query: ListDeadLetterActionsQuery,
  ): Promise<{ data: readonly DeadLetterActionView[]; nextCursor: string | null }> {
    const { cursor, deadLetterId, jobId, limit } = query;
    const { actions, hasMore } = await this.deadLetters.actions({
      before: actionCursorOf(cursor),
      deadLetterId,
      jobId,
      limit,
    });
    const last = actions.at(-1);
    return {
      data: actions.map(actionView),
      nextCursor: hasMore && last !== undefined ? String(last.action_id) : null,
    };
  }

  @Get('parked')
  @ApiOperation({ summary: 'Messages that wait for another try, or for the event before them' })
  @Access('operations:read')
  @Answers(200, parkedMessagesSchema, 'By consumer.')
  async parked(): Promise<ParkedMessages> {
    return { data: (await countParked(this.database)).map(parkedView) };
  }

  @Get(':deadLetterId')
  @ApiOperation({ summary: 'Read a dead letter' })
  @Access('operations:read')
  @Answers(200, deadLetterSchema, 'The dead letter.')
  async get(@Param('deadLetterId') deadLetterId: string): Promise<DeadLetterResponse> {
    return letterView(this.deadLetters.service, await this.deadLetters.get(deadLetterId));
  }

  @Post(':deadLetterId/replay')
  @ApiOperation({ summary: 'Try a dead letter again' })
  @Access('operations:write')
  @Answers(202, deadLetterSchema, 'It is tried again now, under its old event id.')
  async replay(
    @Param('deadLetterId') deadLetterId: string,
    @Body({ schema: replayDeadLetterSchema }) body: ReplayRequest,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const by = { principalId: principal.id, reason: body.reason ?? null, jobId: null };
    await this.answerOnce({ deadLetterId, body, principal, meta, reply }, 202, async (tx) =>
      letterView(this.deadLetters.service, await this.deadLetters.replay(tx, deadLetterId, by)),
    );
  }

  @Post(':deadLetterId/dry-run')
  @ApiOperation({ summary: 'Ask whether a dead letter would work now' })
  @Access('operations:write')
  @Answers(200, deadLetterDryRunSchema, 'What a replay would do now.')
  async dryRun(
    @Param('deadLetterId') deadLetterId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    // In a transaction of its own, which is rolled back; it must not wait for a second connection inside another.
    const { reason, ...told } = await this.deadLetters.dryRun(deadLetterId);
    const result = { ...told, reason: reason === null ? null : maskedText(reason) };
    const by = { principalId: principal.id, reason: null, jobId: null };
    await this.answerOnce({ deadLetterId, body: {}, principal, meta, reply }, 200, async (tx) => {
      await this.deadLetters.recordDryRuns(tx, [{ deadLetterId, result }], by);
      return result;
    });
  }

  @Post(':deadLetterId/discard')
  @ApiOperation({ summary: 'Give a dead letter up, with a reason' })
  @Access('operations:write')
  @Answers(200, deadLetterSchema, 'It is given up for good; the events behind it go on.')
  async discard(
    @Param('deadLetterId') deadLetterId: string,
    @Body({ schema: discardDeadLetterSchema }) body: DiscardRequest,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const by = { principalId: principal.id, reason: body.reason, jobId: null };
    await this.answerOnce({ deadLetterId, body, principal, meta, reply }, 200, async (tx) =>
      letterView(this.deadLetters.service, await this.deadLetters.discard(tx, deadLetterId, by)),
    );
  }

  private async answerOnce(
    request: {
      readonly deadLetterId: string;
      readonly body: unknown;
      readonly principal: Principal;
      readonly meta: RequestMeta;
      readonly reply: FastifyReply;
    },
    status: number,
    work: (tx: Tx) => Promise<unknown>,
  ): Promise<void> {
    const { deadLetterId, body, principal, meta, reply } = request;
    const identity = this.idempotency.identify({ meta, principal, body });
    const options = { resourceId: deadLetterId, leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    const answer = await this.idempotency.runOnce(this.database, identity, options, async (tx) => ({
      status,
      body: await work(tx),
    }));
    await sendAnswer(reply, answer);
  }
}
