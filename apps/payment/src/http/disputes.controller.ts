import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  disputeChangeSchema,
  type DisputeDetailResponse,
  disputeDetailSchema,
  type DisputeEvidence,
  disputeEvidenceSchema,
  disputePageSchema,
  type ListDisputesQuery,
  listDisputesQuerySchema,
  type Principal,
  respondToDisputeSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { AnswerDispute } from '../application/answer-dispute.js';
import { type DisputePage, ReadDisputes } from '../application/read-disputes.js';
import { disputeIdOf } from './path-ids.js';

/** Chargebacks: what the payer's bank took back, and what the merchant answers. */
@ApiTags('Disputes')
@Controller('disputes')
export class DisputesController {
  constructor(
    private readonly reading: ReadDisputes,
    private readonly answering: AnswerDispute,
  ) {}

  @Get()
  @Access('payments:read')
  @ApiOperation({ summary: 'Disputes, newest first' })
  @Answers(200, disputePageSchema, "Those of the caller's merchant; staff see all")
  async listDisputes(
    @Caller() principal: Principal,
    @Query({ schema: listDisputesQuerySchema }) query: ListDisputesQuery,
  ): Promise<DisputePage> {
    return await this.reading.page(principal, query);
  }

  @Get(':disputeId')
  @Access('payments:read')
  @ApiOperation({ summary: 'One dispute with its evidence and ledger lines' })
  @Answers(200, disputeDetailSchema, 'As it stands')
  async readDispute(
    @Caller() principal: Principal,
    @Param('disputeId') disputeId: string,
  ): Promise<DisputeDetailResponse> {
    return await this.reading.one(disputeIdOf(disputeId), principal);
  }

  @Post(':disputeId/evidence')
  @Access('payments:write')
  @ApiOperation({ summary: 'Write evidence; nothing is sent before it is submitted' })
  @Answers(200, disputeChangeSchema, 'The dispute with all that was written')
  async writeDisputeEvidence(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('disputeId') disputeId: string,
    @Body({ schema: disputeEvidenceSchema }) body: DisputeEvidence,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.answering.write(disputeIdOf(disputeId), { principal, meta, body }));
  }

  @Post(':disputeId/submit')
  @Access('payments:write')
  @ApiOperation({ summary: 'Contest the dispute with what was written, once' })
  @Answers(202, disputeChangeSchema, 'The acquirer is being told; the status says when it has the evidence')
  async submitDispute(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('disputeId') disputeId: string,
    @Body({ schema: respondToDisputeSchema }) body: Record<string, never>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const request = { principal, meta, body };
    await sendAnswer(reply, await this.answering.respond(disputeIdOf(disputeId), 'evidence', request));
  }

  @Post(':disputeId/accept')
  @Access('payments:write')
  @ApiOperation({ summary: 'Do not contest the dispute; the amount stays with the payer' })
  @Answers(202, disputeChangeSchema, 'The acquirer is being told; the status says when it has taken it')
  async acceptDispute(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('disputeId') disputeId: string,
    @Body({ schema: respondToDisputeSchema }) body: Record<string, never>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const request = { principal, meta, body };
    await sendAnswer(reply, await this.answering.respond(disputeIdOf(disputeId), 'accept', request));
  }
}
