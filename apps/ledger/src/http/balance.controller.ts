import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  balanceTransactionPageSchema,
  type BalanceTransactionsQuery,
  balanceTransactionsQuerySchema,
  isStaff,
  type MerchantBalance,
  merchantBalanceQuerySchema,
  merchantBalanceSchema,
  type Principal,
} from '@payflow/contracts';
import { EventCatchUp } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem } from '@payflow/service';
import type { z } from 'zod';

import { entryCursor, entryPlaceOf } from '../application/cursors.js';
import { balanceTransactionResponse, merchantBalanceResponse } from '../application/responses.js';
import { JOURNAL_CONSUMER } from '../events/payment-events.controller.js';
import { merchantBalances, merchantBalanceTransactions } from '../store/merchant-balances.js';

/** How long a merchant waits for what his payments have told and the journal has not heard yet. */
const CATCH_UP_MS = 3_000;

/** What PayFlow owes a merchant. Each answer holds every payment that was answered before it was asked for. */
@ApiTags('Balance')
@Controller('balance')
export class BalanceController {
  constructor(
    private readonly database: Database,
    private readonly catchUp: EventCatchUp,
  ) {}

  @Get()
  @Access('payments:read')
  @ApiOperation({ operationId: 'getBalance', summary: 'What a merchant has: pending, available and reserved' })
  @Answers(200, merchantBalanceSchema, 'A row for each currency. Whatever was answered before is in it.')
  async getBalance(
    @Query({ schema: merchantBalanceQuerySchema }) query: z.infer<typeof merchantBalanceQuerySchema>,
    @Caller() principal: Principal,
  ): Promise<MerchantBalance> {
    const merchantId = merchantOf(query.merchantId, principal);
    await this.hearAllOf(merchantId);
    return { data: (await merchantBalances(this.database, merchantId)).map(merchantBalanceResponse) };
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
    const merchantId = merchantOf(query.merchantId, principal);
    await this.hearAllOf(merchantId);
    const rows = await merchantBalanceTransactions(this.database, {
      merchantId,
      currency: query.currency ?? null,
      before: query.cursor === undefined ? null : entryPlaceOf(query.cursor),
      limit: query.limit + 1,
    });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      data: page.map(balanceTransactionResponse),
      nextCursor:
        rows.length > query.limit && last !== undefined
          ? entryCursor({ recordedAt: last.recorded_at, position: last.position, line: last.line })
          : null,
    };
  }

  /** Payments' events have their merchant as key. A stale balance is worse than none. */
  private async hearAllOf(merchantId: string): Promise<void> {
    if (await this.catchUp.catchUpWithKey(JOURNAL_CONSUMER, 'payment', merchantId, CATCH_UP_MS)) return;
    throw new Problem('dependency_unavailable', {
      detail: 'The ledger has not heard of the last payments yet.',
      headers: { 'retry-after': '1' },
    });
  }
}

/** @throws Problem merchant_required | merchant_not_found, also when it is not the caller's */
const merchantOf = (named: string | undefined, principal: Principal): string => {
  const own = principal.merchantId;
  const merchantId = named ?? own;
  if (merchantId === undefined) throw new Problem('merchant_required');
  if (merchantId !== own && !isStaff(principal)) throw new Problem('merchant_not_found');
  return merchantId;
};
