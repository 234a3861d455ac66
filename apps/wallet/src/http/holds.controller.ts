import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ConfirmHoldRequest,
  confirmHoldSchema,
  holdPageSchema,
  holdSchema,
  type HoldView,
  listHoldsQuerySchema,
  type PlaceHoldRequest,
  placeHoldSchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { HoldRequests } from '../application/hold-requests.js';
import { holdIdOf, walletIdOf } from './path-ids.js';

@ApiTags('Wallets')
@Controller()
export class HoldsController {
  constructor(private readonly holds: HoldRequests) {}

  @Post('wallets/:walletId/holds')
  @Access('wallets:write')
  @ApiOperation({ summary: 'Hold money of your wallet for somebody' })
  @Answers(201, holdSchema, 'The hold, PLACED: the money is yours, and cannot be spent.')
  @Answers(202, holdSchema, 'PENDING: the ledger has not answered.')
  async placeHold(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Body({ schema: placeHoldSchema }) body: PlaceHoldRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.holds.place(caller, walletIdOf(walletId), body, meta));
  }

  @Get('wallets/:walletId/holds')
  @Access('wallets:read')
  @ApiOperation({ summary: 'List the holds of a wallet, newest first' })
  @Answers(200, holdPageSchema, 'A page of holds.')
  async listHolds(
    @Caller() caller: Principal,
    @Param('walletId') walletId: string,
    @Query({ schema: listHoldsQuerySchema }) query: z.infer<typeof listHoldsQuerySchema>,
  ): Promise<z.infer<typeof holdPageSchema>> {
    return await this.holds.page(caller, walletIdOf(walletId), query);
  }

  @Get('holds/:holdId')
  @Access('wallets:read')
  @ApiOperation({ summary: 'Read a hold' })
  @Answers(200, holdSchema, 'The hold.')
  async getHold(
    @Caller() caller: Principal,
    @Param('holdId') holdId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<HoldView> {
    const { view, version } = await this.holds.one(caller, holdIdOf(holdId));
    void reply.header('etag', entityTag(version));
    return view;
  }

  @Post('holds/:holdId/confirm')
  @HttpCode(200)
  @Access('wallets:write')
  @ApiOperation({ summary: 'Pay a hold out to a wallet; what is not taken is released' })
  @Answers(200, holdSchema, 'The hold, CONFIRMED.')
  @Answers(202, holdSchema, 'It is under way: the ledger has not answered.')
  async confirmHold(
    @Caller() caller: Principal,
    @Param('holdId') holdId: string,
    @Body({ schema: confirmHoldSchema }) body: ConfirmHoldRequest,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.holds.confirm(caller, holdIdOf(holdId), body, meta));
  }

  @Post('holds/:holdId/void')
  @HttpCode(200)
  @Access('wallets:write')
  @ApiOperation({ summary: 'Release a hold' })
  @Answers(200, holdSchema, 'The hold, VOIDED.')
  @Answers(202, holdSchema, 'It is under way: the ledger has not answered.')
  async voidHold(
    @Caller() caller: Principal,
    @Param('holdId') holdId: string,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.holds.void(caller, holdIdOf(holdId), meta));
  }
}
