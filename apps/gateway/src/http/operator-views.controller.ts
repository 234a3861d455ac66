import { Controller, Get, Headers, Query, Res } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import {
  type AllDeadLetters,
  allDeadLettersSchema,
  listDeadLetterGroupsQuerySchema,
  type Principal,
  type Stuck,
  stuckSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { RateLimits } from '../limits/rate-limits.js';
import { AllDeadLettersView } from '../operations/all-dead-letters.js';
import { StuckView } from '../operations/stuck.js';

/** Views over all services, for operators. A service that does not answer is named, and the rest is shown. */
@Controller('operations')
export class OperatorViewsController {
  constructor(
    private readonly deadLetters: AllDeadLettersView,
    private readonly stuck: StuckView,
    private readonly limits: RateLimits,
  ) {}

  @Get('dead-letters')
  @Access('operations:read')
  @ApiOperation({ summary: 'The dead letters of all services, by their cause' })
  @Answers(200, allDeadLettersSchema, 'The most frequent first; `missing` names services that did not answer.')
  async listAllDeadLetters(
    @Query({ schema: listDeadLetterGroupsQuerySchema }) query: z.infer<typeof listDeadLetterGroupsQuerySchema>,
    @Headers('authorization') authorization: string,
    @Caller() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AllDeadLetters> {
    reply.headers(this.limits.take('client', principal.id));
    return await this.deadLetters.read(authorization, query.status);
  }

  @Get('stuck')
  @Access('operations:read')
  @ApiOperation({ summary: 'What waits for people, or does not go on by itself, in all services' })
  @Answers(200, stuckSchema, 'What has waited longest first; `missing` names services that did not answer.')
  async listStuck(
    @Headers('authorization') authorization: string,
    @Caller() principal: Principal,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Stuck> {
    reply.headers(this.limits.take('client', principal.id));
    return await this.stuck.read(authorization);
  }
}
