import { Body, Controller, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ImportReportQuery,
  importReportQuerySchema,
  listReconciliationReportsQuerySchema,
  listReconciliationRunsQuerySchema,
  type Principal,
  type ReconciliationReport,
  reconciliationReportPageSchema,
  reconciliationReportSchema,
  type ReconciliationRun,
  reconciliationRunPageSchema,
  reconciliationRunSchema,
  type StartReconciliation,
  startReconciliationSchema,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer, TakesFile } from '@payflow/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';

import { AskForReconciliation } from '../application/ask-for-reconciliation.js';
import { findReport, listReports } from '../store/imported-reports.js';
import { findRun, listRuns } from '../store/reconciliation-runs.js';
import { reconciliationRunView, reportView } from '../application/reconciliation-views.js';
import { pageOfRows } from '../application/views.js';

const CREATED = 201;
const ACCEPTED = 202;
const OK = 200;

/** For staff: what the others say of their books, and the runs that compare them with ours. */
@ApiTags('Reconciliation')
@Controller('reconciliation')
export class ReconciliationController {
  constructor(
    private readonly database: Database,
    private readonly asking: AskForReconciliation,
  ) {}

  @Post('reports')
  @HttpCode(CREATED)
  @TakesFile()
  @Access('settlements:write')
  @ApiOperation({ summary: "Read in an acquirer's settlement report (CSV) or a bank's statement (camt.053)" })
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @Answers(CREATED, reconciliationReportSchema, 'The report; its run compares it. The same file again: 200.')
  async importReport(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Query({ schema: importReportQuerySchema }) query: ImportReportQuery,
    @Req() request: FastifyRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const { headers, body } = request;
    if (headers['content-encoding'] !== undefined)
      throw new Problem('unsupported_media_type', { detail: 'A packed file is not unpacked: send it as it is.' });
    if (!isFile(body)) throw new Problem('unsupported_media_type', { detail: 'Send text/csv or application/xml.' });
    await sendAnswer(reply, await this.asking.file({ principal, meta }, query, body));
  }

  @Get('reports')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'Reports and statements that were read in, newest first' })
  @Answers(OK, reconciliationReportPageSchema, 'A page of reports.')
  async listReconciliationReports(
    @Query({ schema: listReconciliationReportsQuerySchema })
    { source, cursor, limit }: z.infer<typeof listReconciliationReportsQuerySchema>,
  ): Promise<z.infer<typeof reconciliationReportPageSchema>> {
    return pageOfRows(await listReports(this.database, source, cursor, limit + 1), limit, reportView);
  }

  @Get('reports/:reportId')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'Read a report' })
  @Answers(OK, reconciliationReportSchema, 'The report.')
  async getReconciliationReport(@Param('reportId') reportId: string): Promise<ReconciliationReport> {
    const row = isId('rep', reportId) ? await findReport(this.database, reportId) : undefined;
    if (row === undefined) throw new Problem('reconciliation_report_not_found');
    return reportView(row);
  }

  @Post('runs')
  @HttpCode(ACCEPTED)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Fetch the report of a period and compare it with our books' })
  @Answers(ACCEPTED, reconciliationRunSchema, 'The run; GET /reconciliation/runs/{runId} tells when it is DONE.')
  async startReconciliation(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: startReconciliationSchema }) body: StartReconciliation,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.asking.run({ principal, meta }, body));
  }

  @Get('runs')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'Reconciliation runs, newest first' })
  @Answers(OK, reconciliationRunPageSchema, 'A page of runs.')
  async listReconciliationRuns(
    @Query({ schema: listReconciliationRunsQuerySchema })
    { source, status, cursor, limit }: z.infer<typeof listReconciliationRunsQuerySchema>,
  ): Promise<z.infer<typeof reconciliationRunPageSchema>> {
    return pageOfRows(
      await listRuns(this.database, { source, status }, cursor, limit + 1),
      limit,
      reconciliationRunView,
    );
  }

  @Get('runs/:runId')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'How far a reconciliation run is, and what it found' })
  @Answers(OK, reconciliationRunSchema, 'The run.')
  async getReconciliationRun(@Param('runId') runId: string): Promise<ReconciliationRun> {
    const row = isId('rec', runId) ? await findRun(this.database, runId) : undefined;
    if (row === undefined) throw new Problem('reconciliation_run_not_found');
    return reconciliationRunView(row);
  }
}

const isFile = (body: unknown): body is AsyncIterable<unknown> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body;
