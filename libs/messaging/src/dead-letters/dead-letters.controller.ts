import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import {
  deadLetterDryRunSchema,
  deadLetterPageSchema,
  type DeadLetterResponse,
  deadLetterSchema,
  discardDeadLetterSchema,
  listDeadLettersQuerySchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller } from '@payflow/service';
import type { z } from 'zod';

import type { DeadLetter } from './dead-letter-sql.js';
import { DeadLetters, type DryRun } from './dead-letters.js';

const BODY_CHARACTERS_SHOWN = 10_000;

type ListQuery = z.infer<typeof listDeadLettersQuerySchema>;
type DiscardRequest = z.infer<typeof discardDeadLetterSchema>;

@Controller('/operations/dead-letters')
export class DeadLettersController {
  constructor(private readonly deadLetters: DeadLetters) {}

  @Get()
  @ApiOperation({ summary: 'List the dead letters of this service' })
  @Access('operations:read')
  @Answers(200, deadLetterPageSchema, 'Newest first.')
  async list(
    @Query({ schema: listDeadLettersQuerySchema }) { cursor, status, limit }: ListQuery,
  ): Promise<{ data: readonly DeadLetterResponse[]; nextCursor: string | null }> {
    const { letters, hasMore } = await this.deadLetters.list({ before: cursor, status, limit });
    return { data: letters.map(this.shown), nextCursor: hasMore ? (letters.at(-1)?.deadLetterId ?? null) : null };
  }

  @Get(':deadLetterId')
  @ApiOperation({ summary: 'Read a dead letter' })
  @Access('operations:read')
  @Answers(200, deadLetterSchema, 'The dead letter.')
  async get(@Param('deadLetterId') deadLetterId: string): Promise<DeadLetterResponse> {
    return this.shown(await this.deadLetters.get(deadLetterId));
  }

  @Post(':deadLetterId/replay')
  @ApiOperation({ summary: 'Try a dead letter again' })
  @HttpCode(202)
  @Access('operations:write')
  @Answers(202, deadLetterSchema, 'It is tried again now, under its old event id.')
  async replay(
    @Param('deadLetterId') deadLetterId: string,
    @Caller() principal: Principal,
  ): Promise<DeadLetterResponse> {
    return this.shown(await this.deadLetters.replay(deadLetterId, principal.id));
  }

  @Post(':deadLetterId/dry-run')
  @ApiOperation({ summary: 'Ask whether a dead letter would work now' })
  @HttpCode(200)
  @Access('operations:write')
  @Answers(200, deadLetterDryRunSchema, 'What a replay would do now.')
  async dryRun(@Param('deadLetterId') deadLetterId: string, @Caller() principal: Principal): Promise<DryRun> {
    return await this.deadLetters.dryRun(deadLetterId, principal.id);
  }

  @Post(':deadLetterId/discard')
  @ApiOperation({ summary: 'Give a dead letter up, with a reason' })
  @HttpCode(200)
  @Access('operations:write')
  @Answers(200, deadLetterSchema, 'It is given up for good; the events behind it go on.')
  async discard(
    @Param('deadLetterId') deadLetterId: string,
    @Body({ schema: discardDeadLetterSchema }) { reason }: DiscardRequest,
    @Caller() principal: Principal,
  ): Promise<DeadLetterResponse> {
    return this.shown(await this.deadLetters.discard(deadLetterId, principal.id, reason));
  }

  private readonly shown = (letter: DeadLetter): DeadLetterResponse => ({
    deadLetterId: letter.deadLetterId,
    service: this.deadLetters.service,
    consumer: letter.consumer,
    status: letter.status,
    eventId: letter.eventId,
    aggregateId: letter.aggregateId,
    topic: letter.raw.topic,
    partition: letter.raw.partition,
    offset: String(letter.raw.offset),
    reason: letter.reason,
    errorLine: letter.errorLine,
    attempts: letter.attempts,
    firstFailedAt: letter.firstFailedAt.toISOString(),
    lastFailedAt: letter.lastFailedAt.toISOString(),
    body: letter.raw.value?.toString('utf8').slice(0, BODY_CHARACTERS_SHOWN) ?? '',
  });
}
