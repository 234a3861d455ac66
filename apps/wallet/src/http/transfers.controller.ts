import { Body, Controller, Get, HttpCode, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  ownBalanceQuerySchema,
  type OwnTransferRequest,
  ownTransferSchema,
  type Principal,
  transferAnswerSchema,
  type TransferRequest,
  transferSchema,
  type WalletBalance,
  walletBalanceSchema,
} from '@payflow/contracts';
import { Access, AcceptsForm, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ReadWallets } from '../application/read-wallets.js';
import { SendTransfer } from '../application/send-transfer.js';

@ApiTags('Wallets')
@Controller()
export class TransfersController {
  constructor(
    private readonly transfers: SendTransfer,
    private readonly wallets: ReadWallets,
  ) {}

  @Post('wallets/transfer')
  @HttpCode(200)
  @Access('wallets:write')
  @AcceptsForm({ query: true })
  @ApiOperation({
    summary: 'Transfer money between wallets',
    description: 'Also by form or query. A JSON number is minor units; text, however it comes, is a decimal number.',
  })
  @Answers(200, transferAnswerSchema, 'The money has moved.')
  @Answers(202, transferAnswerSchema, 'PENDING: the ledger has not answered. Read the transaction to see how it ends.')
  async transfer(
    @Caller() caller: Principal,
    @Body({ schema: transferSchema }) body: TransferRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.transfers.betweenWallets(caller, body, meta));
  }

  @Get('wallet/balance')
  @Access('wallets:read')
  @ApiOperation({ summary: 'The balance of your own wallet' })
  @Answers(200, walletBalanceSchema, 'Of your oldest wallet in the currency.')
  async getOwnBalance(
    @Caller() caller: Principal,
    @Query({ schema: ownBalanceQuerySchema }) query: z.infer<typeof ownBalanceQuerySchema>,
  ): Promise<WalletBalance> {
    return await this.wallets.ownBalance(caller, query.currency);
  }

  @Post('wallet/transfer')
  @HttpCode(200)
  @Access('wallets:write')
  @AcceptsForm({ query: true })
  @ApiOperation({
    summary: 'Send money from your own wallet to a wallet, a user name, an email address or a phone number',
    description: 'To an address without an account the money waits (202, PENDING) until it is claimed or goes back.',
  })
  @Answers(200, transferAnswerSchema, 'The money has moved.')
  @Answers(202, transferAnswerSchema, 'PENDING: it waits for the receiver, or the ledger has not answered.')
  async transferFromOwnWallet(
    @Caller() caller: Principal,
    @Body({ schema: ownTransferSchema }) body: OwnTransferRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.transfers.fromOwnWallet(caller, body, meta));
  }
}
