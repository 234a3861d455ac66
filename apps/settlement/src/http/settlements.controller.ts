import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  listSettlementRunsQuerySchema,
  type ListSettlementsQuery,
  listSettlementsQuerySchema,
  type Principal,
  type RunSettlement,
  runSettlementSchema,
  settlementLinePageSchema,
  settlementLinesQuerySchema,
  settlementPageSchema,
  settlementRunPageSchema,
  settlementRunSchema,
  type SettlementRunView,
  settlementSchema,
  type SettlementView,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { AskForRun } from '../application/ask-for-run.js';
import { listSettlementLines } from '../store/balance-transactions.js';
import { findRun, listRuns } from '../store/settlement-runs.js';
import { findSettlement, listSettlements, type SettlementRow } from '../store/settlements.js';
import { balanceTransactionView, pageOfRows, runView, settlementView } from '../application/views.js';
import { merchantFilter, seesMerchant } from './visible-merchant.js';

const ACCEPTED = 202;

/** Batches, and the runs that make them. */
@ApiTags('Settlements')
@Controller('settlements')
export class SettlementsController {
  constructor(
    private readonly database: Database,
    private readonly asking: AskForRun,
  ) {}

  @Post('run')
  @HttpCode(ACCEPTED)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Settle now what is available' })
  @Answers(ACCEPTED, settlementRunSchema, 'The run; GET /settlements/runs/{runId} tells when it is DONE.')
  async runSettlement(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: runSettlementSchema }) body: RunSettlement,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.asking.run(principal, meta, body));
  }

  @Get('runs')
  @Access('settlements:write')
  @ApiOperation({ summary: 'The runs of the job, newest first' })
  @Answers(200, settlementRunPageSchema, 'A page of runs.')
  async listSettlementRuns(
    @Query({ schema: listSettlementRunsQuerySchema }) { cursor, limit }: z.infer<typeof listSettlementRunsQuerySchema>,
  ): Promise<z.infer<typeof settlementRunPageSchema>> {
    return pageOfRows(await listRuns(this.database, cursor, limit + 1), limit, runView);
  }

  @Get('runs/:runId')
  @Access('settlements:write')
  @ApiOperation({ summary: 'How far a run is' })
  @Answers(200, settlementRunSchema, 'The run.')
  async getSettlementRun(@Param('runId') runId: string): Promise<SettlementRunView> {
    const row = isId('srn', runId) ? await findRun(this.database, runId) : undefined;
    if (row === undefined) throw new Problem('settlement_run_not_found');
    return runView(row);
  }

  @Get()
  @Access('settlements:read')
  @ApiOperation({ summary: 'List settlements, newest first' })
  @Answers(200, settlementPageSchema, 'A page of settlements.')
  async listSettlements(
    @Query({ schema: listSettlementsQuerySchema }) query: ListSettlementsQuery,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof settlementPageSchema>> {
    const { acquirer, currency, status, runId, cursor, limit } = query;
    const filter = { merchantId: merchantFilter(query.merchantId, principal), acquirer, currency, status, runId };
    return pageOfRows(await listSettlements(this.database, filter, cursor, limit + 1), limit, settlementView);
  }

  @Get(':settlementId')
  @Access('settlements:read')
  @ApiOperation({ summary: 'Read a settlement' })
  @Answers(200, settlementSchema, 'The settlement.')
  async getSettlement(
    @Param('settlementId') settlementId: string,
    @Caller() principal: Principal,
  ): Promise<SettlementView> {
    return settlementView(await this.seen(settlementId, principal));
  }

  @Get(':settlementId/lines')
  @Access('settlements:read')
  @ApiOperation({ summary: 'What a settlement took in, newest first' })
  @Answers(200, settlementLinePageSchema, 'A page of balance transactions.')
  async listSettlementLines(
    @Param('settlementId') settlementId: string,
    @Query({ schema: settlementLinesQuerySchema }) { cursor, limit }: z.infer<typeof settlementLinesQuerySchema>,
    @Caller() principal: Principal,
  ): Promise<z.infer<typeof settlementLinePageSchema>> {
    const { id } = await this.seen(settlementId, principal);
    return pageOfRows(await listSettlementLines(this.database, id, cursor, limit + 1), limit, balanceTransactionView);
  }

  /** @throws Problem settlement_not_found also for another's */
  private async seen(settlementId: string, principal: Principal): Promise<SettlementRow> {
    const row = isId('set', settlementId) ? await findSettlement(this.database, settlementId) : undefined;
    if (row === undefined || !seesMerchant(principal, row.merchantId)) throw new Problem('settlement_not_found');
    return row;
  }
}
