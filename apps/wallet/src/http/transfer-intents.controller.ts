import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CreateTransferIntentRequest,
  createTransferIntentSchema,
  type ListTransferIntentsQuery,
  listTransferIntentsQuerySchema,
  type Principal,
  transferIntentListSchema,
  transferIntentSchema,
  type TransferIntentView,
} from '@payflow/contracts';
import { AcceptsForm, Access, Answers, Caller, RequestMeta, sendAnswer, storedAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { CreateTransferIntent } from '../application/create-transfer-intent.js';
import { ProcessTransferIntent } from '../application/process-transfer-intent.js';
import { ReadTransferIntents } from '../application/read-transfer-intents.js';
import { transferIntentView } from '../application/transfer-intent-view.js';

/** Payments between two users, as the requirement documents print them: at `/payments`, told by their query (ADR 0015). */
@ApiTags('Payments between users')
@Controller()
export class TransferIntentsController {
  constructor(
    private readonly creation: CreateTransferIntent,
    private readonly processing: ProcessTransferIntent,
    private readonly reading: ReadTransferIntents,
  ) {}

  @Post('payments')
  @Access('wallets:write')
  @AcceptsForm({ query: true })
  @ApiOperation({ summary: 'Ask for a payment between two users; nothing moves yet' })
  @Answers(201, transferIntentSchema, 'Pending')
  async createTransferIntent(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createTransferIntentSchema }) body: CreateTransferIntentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.creation.run(principal, meta, body));
  }

  @Post('payments/:paymentId/process')
  @Access('wallets:write')
  @ApiOperation({ summary: 'Make the transfer that was asked for' })
  @Answers(200, transferIntentSchema, 'Completed or Failed')
  @Answers(202, transferIntentSchema, 'Pending: the ledger has not answered')
  async processTransferIntent(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: z.strictObject({}) }) _body: Readonly<Record<string, never>>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, storedAnswer(await this.processing.run(paymentId, principal, meta)));
  }

  @Get('payments/:paymentId')
  @Access('wallets:read')
  @ApiOperation({ summary: 'A payment between two users' })
  @Answers(200, transferIntentSchema, 'Pending, Completed or Failed')
  async readTransferIntent(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
  ): Promise<TransferIntentView> {
    return transferIntentView(await this.reading.one(paymentId, principal));
  }

  @Get('internal/users/:userId/transfer-intents')
  @Access('internal')
  @Answers(200, transferIntentListSchema, 'As payer or payee, newest first')
  async listTransferIntents(
    @Param('userId') userId: string,
    @Query({ schema: listTransferIntentsQuerySchema }) query: ListTransferIntentsQuery,
  ): Promise<{ readonly data: readonly TransferIntentView[] }> {
    return { data: await this.reading.ofUser(userId, query) };
  }
}
