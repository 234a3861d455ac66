import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  injectedReportErrorsSchema,
  type InjectReportErrors,
  injectReportErrorsSchema,
  type ReportPeriodQuery,
  reportPeriodQuerySchema,
} from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Answers, InjectConfig, Problem, Public } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import { type Issued, IssueReport } from '../application/issue-report.js';
import { countReportErrors, findReportContent, insertReportErrors } from '../store/issued-reports.js';
import { acquirerNamed } from './acquirer-parameter.js';
import { bankNamed } from './bank-view.js';

const CSV = 'text/csv; charset=utf-8';
const XML = 'application/xml; charset=utf-8';
const OK = 200;

type Waiting = z.infer<typeof injectedReportErrorsSchema>;

/** What the acquirers and the bank tell of their books: files, each under an id. */
@ApiTags('Reports')
@Controller()
export class ReportsController {
  constructor(
    private readonly database: Database,
    private readonly issueReport: IssueReport,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {}

  @Get('acquirers/:acquirer/settlement-reports')
  @Public()
  @ApiOperation({ summary: 'A settlement report of a period as CSV; Content-Location is where it stays' })
  @Answers(OK, z.string(), 'A record begin, one for each line, a total for each currency, a record end.')
  async settlementReport(
    @Param('acquirer') name: string,
    @Query({ schema: reportPeriodQuerySchema }) query: ReportPeriodQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const issued = await this.issueReport.ofAcquirer(acquirer, periodOf(query));
    await send(reply, CSV, issued, `/acquirers/${acquirer}/settlement-reports/${issued.reportId}`);
  }

  @Get('acquirers/:acquirer/settlement-reports/:reportId')
  @Public()
  @ApiOperation({ summary: 'A settlement report again, to the byte' })
  @Answers(OK, z.string(), 'The file as it was first sent.')
  async settlementReportAgain(
    @Param('acquirer') name: string,
    @Param('reportId') reportId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const acquirer = acquirerNamed(name);
    const content = await this.contentOf(`acquirer:${acquirer}`, reportId);
    await send(reply, CSV, { reportId, content }, `/acquirers/${acquirer}/settlement-reports/${reportId}`);
  }

  @Get('banks/:bank/statements')
  @Public()
  @ApiOperation({ summary: 'A statement of a period as camt.053; Content-Location is where it stays' })
  @Answers(OK, z.string(), 'ISO 20022 camt.053.001.08, a statement for each currency.')
  async bankStatement(
    @Param('bank') name: string,
    @Query({ schema: reportPeriodQuerySchema }) query: ReportPeriodQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const issued = await this.issueReport.ofBank(bank, periodOf(query));
    await send(reply, XML, issued, `/banks/${bank}/statements/${issued.reportId}`);
  }

  @Get('banks/:bank/statements/:reportId')
  @Public()
  @ApiOperation({ summary: 'A statement again, to the byte' })
  @Answers(OK, z.string(), 'The file as it was first sent.')
  async bankStatementAgain(
    @Param('bank') name: string,
    @Param('reportId') reportId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const bank = bankNamed(name);
    const content = await this.contentOf(`bank:${bank}`, reportId);
    await send(reply, XML, { reportId, content }, `/banks/${bank}/statements/${reportId}`);
  }

  @Post('acquirers/:acquirer/settlement-reports/errors')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Have the next settlement report get something wrong' })
  @Answers(OK, injectedReportErrorsSchema, 'How many errors wait for a report.')
  async injectSettlementReportErrors(
    @Param('acquirer') name: string,
    @Body({ schema: injectReportErrorsSchema }) body: InjectReportErrors,
  ): Promise<Waiting> {
    this.requireControllable();
    return await this.inject(`acquirer:${acquirerNamed(name)}`, body);
  }

  @Post('banks/:bank/statements/errors')
  @Public()
  @HttpCode(OK)
  @ApiOperation({ summary: 'Have the next statement get something wrong' })
  @Answers(OK, injectedReportErrorsSchema, 'How many errors wait for a statement.')
  async injectBankStatementErrors(
    @Param('bank') name: string,
    @Body({ schema: injectReportErrorsSchema }) body: InjectReportErrors,
  ): Promise<Waiting> {
    this.requireControllable();
    return await this.inject(`bank:${bankNamed(name)}`, body);
  }

  private async inject(issuer: string, { errors }: InjectReportErrors): Promise<Waiting> {
    await insertReportErrors(this.database, issuer, errors, new Date());
    return { waiting: await countReportErrors(this.database, issuer) };
  }

  private requireControllable(): void {
    if (!isControllable(this.config)) throw new Problem('route_not_found');
  }

  private async contentOf(issuer: string, reportId: string): Promise<string> {
    const content = await findReportContent(this.database, issuer, reportId);
    if (content === undefined) throw new Problem('resource_not_found', { detail: 'Unknown report.' });
    return content;
  }
}

const periodOf = ({ from, to }: ReportPeriodQuery) => ({ from: new Date(from), to: new Date(to) });

const send = async (reply: FastifyReply, type: string, { content }: Issued, location: string): Promise<void> => {
  await reply.code(OK).headers({ 'content-type': type, 'content-location': location }).send(content);
};
