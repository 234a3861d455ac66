import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ListPayoutsQuery,
  listPayoutsQuerySchema,
  payoutPageSchema,
  payoutSchema,
  type PayoutView,
  type Principal,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem } from '@payflow/service';
import type { z } from 'zod';

import { findPayout, listPayouts } from '../store/payouts.js';
import { pageOfRows, payoutView } from '../application/views.js';
import { merchantFilter, seesMerchant } from './visible-merchant.js';

/** Money on its way to merchants. */
@ApiTags('Payouts')
@Controller('payouts')
export class PayoutsController {
  constructor(private readonly database: Database) {}

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
}
