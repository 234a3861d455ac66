import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  balanceTransactionPageSchema,
  type BalanceTransactionsQuery,
  balanceTransactionsQuerySchema,
  type MerchantBalance,
  merchantBalanceQuerySchema,
  merchantBalanceSchema,
  type Principal,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller } from '@payflow/service';
import type { z } from 'zod';

import { HearPayments } from '../application/hear-payments.js';
import { listBalanceTransactions } from '../store/balance-transactions.js';
import { listBalances } from '../store/merchant-balances.js';
import { balanceTransactionView, balanceView, pageOfRows } from '../application/views.js';
import { merchantAsked } from './visible-merchant.js';

/** What PayFlow owes a merchant. Each answer holds every payment that was answered before it was asked for. */
@ApiTags('Balance')
@Controller('balance')
export class BalanceController {
  constructor(
    private readonly database: Database,
    private readonly hearing: HearPayments,
  ) {}

  @Get()
  @Access('payments:read')
  @ApiOperation({ operationId: 'getBalance', summary: 'What a merchant has: pending, available and reserved' })
  @Answers(200, merchantBalanceSchema, 'A row for each currency. Whatever was answered before is in it.')
  async getBalance(
    @Query({ schema: merchantBalanceQuerySchema }) query: z.infer<typeof merchantBalanceQuerySchema>,
    @Caller() principal: Principal,
  ): Promise<MerchantBalance> {
    const merchantId = merchantAsked(query.merchantId, principal);
    await this.hearing.hearAllOf(merchantId);
    return { data: (await listBalances(this.database, merchantId)).map(balanceView) };
  }

  @Get('transactions')
  @Access('payments:read')
  @ApiOperation({
    operationId: 'listBalanceTransactions',
    summary: "What changed a merchant's balance: gross, fee and net, newest first",
  })
  @Answers(200, balanceTransactionPageSchema, 'A page of balance transactions.')
  async listBalanceTransactions(
    @Query({ schema: balanceTransactionsQuerySchema }) query: BalanceTransactionsQuery,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof balanceTransactionPageSchema>> {
    const merchantId = merchantAsked(query.merchantId, principal);
    await this.hearing.hearAllOf(merchantId);
    const { currency, type, paymentId, cursor, limit } = query;
    const filter = { merchantId, currency, type, paymentId };
    const rows = await listBalanceTransactions(this.database, filter, cursor, limit + 1);
    return pageOfRows(rows, limit, balanceTransactionView);
  }
}
