import { Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  listWalletTransactionsQuerySchema,
  type Principal,
  transferAnswerSchema,
  walletTransactionPageSchema,
  walletTransactionSchema,
  type WalletTransactionView,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { Claims } from '../application/claims.js';
import { ReadHistory } from '../application/read-history.js';
import { transactionIdOf } from './path-ids.js';

@ApiTags('Wallets')
@Controller('transactions')
export class TransactionsController {
  constructor(
    private readonly history: ReadHistory,
    private readonly claims: Claims,
  ) {}

  @Get()
  @Access('wallets:read')
  @ApiOperation({ summary: 'The history of your wallets, newest first' })
  @Answers(200, walletTransactionPageSchema, 'Each with your own debit or credit and your own balance after it.')
  async listTransactions(
    @Caller() caller: Principal,
    @Query({ schema: listWalletTransactionsQuerySchema }) query: z.infer<typeof listWalletTransactionsQuerySchema>,
  ): Promise<z.infer<typeof walletTransactionPageSchema>> {
    const { data, nextCursor } = await this.history.page(caller, query);
    return { data: [...data], nextCursor };
  }

  @Get(':transactionId')
  @Access('wallets:read')
  @ApiOperation({ summary: 'Read a wallet transaction' })
  @Answers(200, walletTransactionSchema, 'The transaction as you see it.')
  async getTransaction(
    @Caller() caller: Principal,
    @Param('transactionId') transactionId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WalletTransactionView> {
    const { view, version } = await this.history.one(caller, transactionIdOf(transactionId));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Post(':transactionId/cancel')
  @HttpCode(200)
  @Access('wallets:write')
  @ApiOperation({ summary: 'Take back money that still waits for its receiver' })
  @Answers(200, transferAnswerSchema, 'FAILED with reason `canceled`: the money is back.')
  @Answers(202, transferAnswerSchema, 'PENDING: it is on its way back.')
  async cancelTransaction(
    @Caller() caller: Principal,
    @Param('transactionId') transactionId: string,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.claims.cancel(caller, transactionIdOf(transactionId), meta));
  }
}
