import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ListPayoutsQuery,
  listPayoutsQuerySchema,
  type PayoutDecisions,
  payoutDecisionsSchema,
  payoutPageSchema,
  payoutSchema,
  type PayoutView,
  type Principal,
  type TakeUpPayout as Decision,
  takeUpPayoutSchema,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { TakeUpPayout } from '../application/take-up-payout.js';
import { listDecisions } from '../store/payout-decisions.js';
import { findPayout, listPayouts } from '../store/payouts.js';
import { pageOfRows, payoutView } from '../application/views.js';
import { merchantFilter, seesMerchant } from './visible-merchant.js';

const OK = 200;

/** Money on its way to merchants. */
@ApiTags('Payouts')
@Controller('payouts')
export class PayoutsController {
  constructor(
    private readonly database: Database,
    private readonly takingUp: TakeUpPayout,
  ) {}

  @Get()
  @Access('settlements:read')
  @ApiOperation({ summary: 'List payouts, newest first' })
  @Answers(200, payoutPageSchema, 'A page of payouts.')
  async listPayouts(
    @Query({ schema: listPayoutsQuerySchema }) query: ListPayoutsQuery,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof payoutPageSchema>> {
    const { currency, status, cursor, limit } = query;
    const filter = { merchantId: merchantFilter(query.merchantId, principal), currency, status };
    return pageOfRows(await listPayouts(this.database, filter, cursor, limit + 1), limit, payoutView);
  }

  @Get(':payoutId')
  @Access('settlements:read')
  @ApiOperation({ summary: 'Read a payout' })
  @Answers(200, payoutSchema, 'The payout as it stands.')
  async getPayout(@Param('payoutId') payoutId: string, @Caller() principal: Principal): Promise<PayoutView> {
    const row = isId('po', payoutId) ? await findPayout(this.database, payoutId) : undefined;
    if (row === undefined || !seesMerchant(principal, row.merchantId)) throw new Problem('payout_not_found');
    return payoutView(row);
  }

  @Post(':payoutId/take-up')
  @HttpCode(OK)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Go on with a payout that people had to look at, as it stands or as they have found out' })
  @Answers(OK, payoutSchema, 'The payout, which goes on.')
  async takeUpPayout(
    @Param('payoutId') payoutId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: takeUpPayoutSchema }) body: Decision,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    if (!isId('po', payoutId)) throw new Problem('payout_not_found');
    await sendAnswer(reply, await this.takingUp.run(payoutId, { principal, meta, body }));
  }

  @Get(':payoutId/decisions')
  @Access('settlements:write')
  @ApiOperation({ summary: 'Who took a payout up, and why' })
  @Answers(OK, payoutDecisionsSchema, 'In order; empty when nobody had to.')
  async listPayoutDecisions(@Param('payoutId') payoutId: string): Promise<PayoutDecisions> {
    if (!isId('po', payoutId) || (await findPayout(this.database, payoutId)) === undefined)
      throw new Problem('payout_not_found');
    const rows = await listDecisions(this.database, payoutId);
    return { data: rows.map((row) => ({ ...row, decidedAt: row.decidedAt.toISOString() })) };
  }
}
