import { Body, Controller, Get, Param, Post, Put, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import {
  type CreateWalletRequest,
  createWalletSchema,
  freezeWalletSchema,
  listWalletsQuerySchema,
  type Principal,
  type SetWalletLimits,
  setWalletLimitsSchema,
  statementQuerySchema,
  walletBalanceQuerySchema,
  type WalletBalance,
  walletBalanceSchema,
  walletPageSchema,
  walletSchema,
  type WalletView,
} from '@payflow/contracts';
import { Access, AcceptsForm, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ControlWallet } from '../application/control-wallet.js';
import { OpenWallets } from '../application/open-wallets.js';
import { ReadWallets } from '../application/read-wallets.js';
import { WriteStatement } from '../application/write-statement.js';
import { walletIdOf } from './path-ids.js';

@ApiTags('Wallets')
@Controller('wallets')
export class WalletsController {
  constructor(
    private readonly openWallets: OpenWallets,
    private readonly wallets: ReadWallets,
    private readonly control: ControlWallet,
    private readonly statements: WriteStatement,
  ) {}

  @Post()
  @Access('wallets:write')
  @AcceptsForm()
  @ApiOperation({ summary: 'Open a wallet in one currency' })
  @Answers(201, walletSchema, 'The wallet, with nothing in it.')
  async createWallet(
    @Caller() caller: Principal,
    @Body({ schema: createWalletSchema }) body: CreateWalletRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.openWallets.create(caller, body, meta));
  }

  @Post('create')
  @Access('wallets:write')
  @AcceptsForm()
  @ApiOperation({ summary: 'Open a wallet, by the path of the requirement documents' })
  @Answers(201, walletSchema, 'The wallet, with nothing in it.')
  async createWalletAsPrinted(
    @Caller() caller: Principal,
    @Body({ schema: createWalletSchema }) body: CreateWalletRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.openWallets.create(caller, body, meta));
  }

  @Get()
  @Access('wallets:read')
  @ApiOperation({ summary: 'List your wallets, newest first' })
  @Answers(200, walletPageSchema, 'A page of wallets.')
  async listWallets(
    @Caller() caller: Principal,
    @Query({ schema: listWalletsQuerySchema }) query: z.infer<typeof listWalletsQuerySchema>,
  ): Promise<z.infer<typeof walletPageSchema>> {
    const { data, nextCursor } = await this.wallets.page(caller, query);
    return { data: [...data], nextCursor };
  }

  @Get(':walletId')
  @Access('wallets:read')
  @ApiOperation({ summary: 'Read a wallet' })
  @Answers(200, walletSchema, 'The wallet with its balance.')
  async getWallet(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<WalletView> {
    const { view, version } = await this.wallets.one(caller, walletIdOf(walletId));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Get(':walletId/balance')
  @Access('wallets:read')
  @ApiOperation({ summary: 'The balance of a wallet, now or at a time' })
  @Answers(200, walletBalanceSchema, '`balance` is a decimal number; the others are minor units.')
  async getWalletBalance(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Query({ schema: walletBalanceQuerySchema }) query: z.infer<typeof walletBalanceQuerySchema>,
  ): Promise<WalletBalance> {
    return await this.wallets.balance(caller, walletIdOf(walletId), query.asOf);
  }

  @Get(':walletId/statement.csv')
  @Access('wallets:read')
  @ApiOperation({ summary: 'A statement: every movement between two times' })
  @ApiProduces('text/csv')
  async getStatement(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Query({ schema: statementQuerySchema }) query: z.infer<typeof statementQuerySchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const csv = await this.statements.write(caller, walletIdOf(walletId), query.from, query.to);
    await reply
      .header('content-type', 'text/csv; charset=utf-8; header=present')
      .header('content-disposition', `attachment; filename="statement-${walletId}.csv"`)
      .send(csv);
  }

  @Post(':walletId/freeze')
  @Access('wallets:control')
  @ApiOperation({ summary: 'Freeze a wallet: nothing leaves it and nothing comes in' })
  @Answers(200, walletSchema, 'The wallet, FROZEN.')
  async freezeWallet(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Body({ schema: freezeWalletSchema }) body: z.infer<typeof freezeWalletSchema>,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.control.freeze(caller, walletIdOf(walletId), body, meta));
  }

  @Post(':walletId/unfreeze')
  @Access('wallets:control')
  @ApiOperation({ summary: 'Lift the freeze of a wallet' })
  @Answers(200, walletSchema, 'The wallet, ACTIVE.')
  async unfreezeWallet(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Body({ schema: freezeWalletSchema }) body: z.infer<typeof freezeWalletSchema>,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.control.unfreeze(caller, walletIdOf(walletId), body, meta));
  }

  @Put(':walletId/limits')
  @Access('wallets:control')
  @ApiOperation({ summary: 'Set the limits of a wallet' })
  @Answers(200, walletSchema, 'The wallet as it is now.')
  async setWalletLimits(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Body({ schema: setWalletLimitsSchema }) body: SetWalletLimits,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.control.setLimits(caller, walletIdOf(walletId), body, meta));
  }
}
