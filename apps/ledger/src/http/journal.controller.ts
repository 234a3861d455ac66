import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  entryPageSchema,
  type ListEntriesQuery,
  listEntriesQuerySchema,
  type Principal,
  type TrialBalanceResponse,
  trialBalanceSchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem } from '@payflow/service';
import type { z } from 'zod';

import { entryCursor, entryPlaceOf } from '../application/cursors.js';
import { entryResponse, trialBalanceResponse } from '../application/responses.js';
import { scopeOf, seesEverything } from '../application/viewer.js';
import { findAccountSeqs } from '../store/account-rows.js';
import { listEntries, sumEntries } from '../store/journal-reads.js';

@ApiTags('Ledger')
@Controller('ledger')
export class JournalController {
  constructor(private readonly database: Database) {}

  @Get()
  @Access('ledger:read')
  @ApiOperation({
    operationId: 'listLedgerEntries',
    summary: 'Entries of the journal, newest first, from `from` (included) to `to` (excluded)',
  })
  @Answers(
    200,
    entryPageSchema,
    'A page of entries. A merchant sees those on his own accounts, a customer those on his wallets.',
  )
  async listLedgerEntries(
    @Query({ schema: listEntriesQuerySchema }) query: ListEntriesQuery,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof entryPageSchema>> {
    const scope = scopeOf(principal);
    const everyAccount = query.account === undefined && scope.everyone;
    const rows = await listEntries(this.database, {
      accountSeqs: everyAccount ? null : await findAccountSeqs(this.database, query.account ?? null, scope),
      paymentId: query.paymentId ?? null,
      merchantId: query.merchantId ?? null,
      type: query.type ?? null,
      from: timeOf(query.from),
      to: timeOf(query.to),
      before: query.cursor === undefined ? null : entryPlaceOf(query.cursor),
      limit: query.limit + 1,
    });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      data: page.map(entryResponse),
      nextCursor:
        rows.length > query.limit && last !== undefined
          ? entryCursor({ recordedAt: last.created_at, position: last.position, line: last.line })
          : null,
    };
  }

  @Get('trial-balance')
  @Access('ledger:read')
  @ApiOperation({ operationId: 'getTrialBalance', summary: 'Debits and credits of the whole journal, per currency' })
  @Answers(200, trialBalanceSchema, 'Computed from the entries, not from cached balances.')
  async getTrialBalance(@Caller() principal: Principal): Promise<TrialBalanceResponse> {
    if (!seesEverything(principal)) {
      throw new Problem('insufficient_scope', { detail: 'The trial balance is for staff and for the ledger client.' });
    }
    return trialBalanceResponse(await sumEntries(this.database));
  }
}

const timeOf = (text: string | undefined): Date | null => (text === undefined ? null : new Date(text));
