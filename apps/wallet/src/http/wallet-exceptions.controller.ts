import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ListWalletExceptionsQuery,
  listWalletExceptionsQuerySchema,
  type Principal,
  type ResolveWalletExceptionRequest,
  resolveWalletExceptionSchema,
  walletExceptionPageSchema,
  walletExceptionSchema,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { type WalletExceptionPage, WalletExceptions } from '../application/wallet-exceptions.js';

/** For staff: what the machine leaves to people. */
@ApiTags('Operations')
@Controller('wallet-exceptions')
export class WalletExceptionsController {
  constructor(private readonly exceptions: WalletExceptions) {}

  @Get()
  @Access('operations:read')
  @ApiOperation({ summary: 'What people have to decide about wallets, newest first; `open=true` is the work list' })
  @Answers(200, walletExceptionPageSchema, 'Of all wallets')
  async listWalletExceptions(
    @Query({ schema: listWalletExceptionsQuerySchema }) query: ListWalletExceptionsQuery,
  ): Promise<WalletExceptionPage> {
    return await this.exceptions.page(query);
  }

  @Post(':exceptionId/resolve')
  @Access('operations:write')
  @ApiOperation({ summary: 'Say what was found and done; the transaction itself is not changed by it' })
  @Answers(200, walletExceptionSchema, 'Resolved, by whom and how')
  async resolveWalletException(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('exceptionId') exceptionId: string,
    @Body({ schema: resolveWalletExceptionSchema }) body: ResolveWalletExceptionRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!isId('wex', exceptionId)) throw new Problem('wallet_exception_not_found');
    await sendAnswer(reply, await this.exceptions.resolve(exceptionId, principal, meta, body));
  }
}
