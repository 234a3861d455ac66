import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  accountPageSchema,
  type AccountResponse,
  accountSchema,
  asOfQuerySchema,
  type BalanceResponse,
  balanceSchema,
  type CreateAccountRequest,
  createAccountSchema,
  idSchema,
  type ListAccountsQuery,
  listAccountsQuerySchema,
  type Principal,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Idempotency, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { accountCursor, accountSeqOf } from '../application/cursors.js';
import { OpenAccountHandler } from '../application/open-account.js';
import { accountResponse } from '../application/responses.js';
import { scopeOf } from '../application/viewer.js';
import { type AccountRow, balanceAt, findAccount, listAccounts } from '../store/account-rows.js';

const accountIdSchema = idSchema('acc');

@ApiTags('Ledger')
@Controller('ledger/accounts')
export class AccountsController {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly openAccount: OpenAccountHandler,
  ) {}

  @Post()
  @Access('ledger:post')
  @ApiOperation({ operationId: 'createLedgerAccount', summary: 'Open an account' })
  @Answers(201, accountSchema, 'The account.')
  async createLedgerAccount(
    @Body({ schema: createAccountSchema }) request: CreateAccountRequest,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body: request });
    await sendAnswer(reply, await this.openAccount.run({ request, principal, identity }));
  }

  @Get()
  @Access('ledger:read')
  @ApiOperation({ operationId: 'listLedgerAccounts', summary: 'Accounts whose code begins so, newest first' })
  @Answers(200, accountPageSchema, 'A page of accounts.')
  async listLedgerAccounts(
    @Query({ schema: listAccountsQuerySchema }) query: ListAccountsQuery,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof accountPageSchema>> {
    const rows = await listAccounts(this.database, {
      ...scopeOf(principal),
      prefix: query.prefix ?? '',
      currency: query.currency ?? null,
      beforeSeq: query.cursor === undefined ? null : accountSeqOf(query.cursor),
      limit: query.limit + 1,
    });
    const page = rows.slice(0, query.limit);
    const last = page.at(-1);
    return {
      data: page.map(accountResponse),
      nextCursor: rows.length > query.limit && last !== undefined ? accountCursor(last.seq) : null,
    };
  }

  @Get(':accountId')
  @Access('ledger:read')
  @ApiOperation({ operationId: 'getLedgerAccount', summary: 'An account with its balance' })
  @Answers(200, accountSchema, 'The account.')
  async getLedgerAccount(
    @Param('accountId', { schema: accountIdSchema }) accountId: string,
    @Caller() principal: Principal,
  ): Promise<AccountResponse> {
    return accountResponse(await this.visibleAccount(accountId, principal));
  }

  @Get(':accountId/balance')
  @Access('ledger:read')
  @ApiOperation({ operationId: 'getLedgerBalance', summary: 'The balance now, or as it stood at a time' })
  @Answers(200, balanceSchema, 'The balance after the last entry recorded up to `asOf`, that moment included.')
  async getLedgerBalance(
    @Param('accountId', { schema: accountIdSchema }) accountId: string,
    @Query({ schema: asOfQuerySchema }) query: z.infer<typeof asOfQuerySchema>,
    @Caller() principal: Principal,
  ): Promise<BalanceResponse> {
    const account = await this.visibleAccount(accountId, principal);
    const asOf = query.asOf === undefined ? new Date() : new Date(query.asOf);
    const balance = query.asOf === undefined ? account.balance : await balanceAt(this.database, account.seq, asOf);
    return {
      accountId: account.id,
      code: account.code,
      currency: account.currency,
      balance: Number(balance),
      asOf: asOf.toISOString(),
    };
  }

  private async visibleAccount(accountId: string, principal: Principal): Promise<AccountRow> {
    const account = await findAccount(this.database, accountId, scopeOf(principal));
    if (account === undefined) throw new Problem('account_not_found');
    return account;
  }
}
