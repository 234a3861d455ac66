import { Readable } from 'node:stream';

import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  assignSettlementExceptionSchema,
  type ExportSettlementExceptionsQuery,
  exportSettlementExceptionsQuerySchema,
  type ListSettlementExceptionsQuery,
  listSettlementExceptionsQuerySchema,
  type Principal,
  type SettlementException,
  settlementExceptionPageSchema,
  settlementExceptionSchema,
  settlementReasonSchema,
} from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { Access, Answers, Caller, Problem, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { exportExceptions } from '../application/export-exceptions.js';
import { type AskedOfException, SettleExceptions } from '../application/settle-exceptions.js';
import { listCorrections } from '../store/corrections.js';
import { findException, listExceptions } from '../store/settlement-exceptions.js';
import { exceptionView } from '../application/reconciliation-views.js';

type Reason = z.infer<typeof settlementReasonSchema>;

const OK = 200;
const ACCEPTED = 202;

/** For staff: the differences, and what is done about them. */
@ApiTags('Reconciliation')
@Controller('reconciliation')
export class SettlementExceptionsController {
  constructor(
    private readonly database: Database,
    private readonly exceptions: SettleExceptions,
  ) {}

  @Get('exceptions')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'Differences between the books, newest first; `status=OPEN` is the work list' })
  @Answers(OK, settlementExceptionPageSchema, 'A page of exceptions.')
  async listSettlementExceptions(
    @Query({ schema: listSettlementExceptionsQuerySchema })
    { cursor, limit, ...filter }: ListSettlementExceptionsQuery,
  ): Promise<z.infer<typeof settlementExceptionPageSchema>> {
    const rows = await listExceptions(this.database, filter, cursor, limit + 1);
    const shown = rows.slice(0, limit);
    const corrections = await listCorrections(
      this.database,
      shown.map(({ id }) => id),
    );
    return {
      data: shown.map((row) => exceptionView(row, corrections)),
      nextCursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  @Get('exceptions.csv')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'The same list as a file for a spreadsheet' })
  @Answers(OK, z.string(), 'CSV by RFC 4180. What would be a formula is text.')
  async exportSettlementExceptions(
    @Query({ schema: exportSettlementExceptionsQuerySchema }) filter: ExportSettlementExceptionsQuery,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await reply
      .code(OK)
      .headers({
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': 'attachment; filename="settlement-exceptions.csv"',
      })
      .send(Readable.from(exportExceptions(this.database, filter)));
  }

  @Get('exceptions/:exceptionId')
  @Access('settlements:read', 'operations:read')
  @ApiOperation({ summary: 'Read a difference with its corrections' })
  @Answers(OK, settlementExceptionSchema, 'The exception.')
  async getSettlementException(@Param('exceptionId') exceptionId: string): Promise<SettlementException> {
    const row = await findException(this.database, sexId(exceptionId));
    if (row === undefined) throw new Problem('settlement_exception_not_found');
    return exceptionView(row, await listCorrections(this.database, [row.id]));
  }

  @Post('exceptions/:exceptionId/assign')
  @HttpCode(OK)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Say who looks at it' })
  @Answers(OK, settlementExceptionSchema, 'The exception.')
  async assignSettlementException(
    @Param('exceptionId') exceptionId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: assignSettlementExceptionSchema }) body: z.infer<typeof assignSettlementExceptionSchema>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = { exceptionId: sexId(exceptionId), principal, meta, body };
    await sendAnswer(reply, await this.exceptions.assign(asked, body.assignee));
  }

  @Post('exceptions/:exceptionId/resolve')
  @HttpCode(OK)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Close it with a reason; no money moves' })
  @Answers(OK, settlementExceptionSchema, 'Resolved, by whom and why.')
  async resolveSettlementException(
    @Param('exceptionId') exceptionId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: settlementReasonSchema }) body: Reason,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = { exceptionId: sexId(exceptionId), principal, meta, body };
    await sendAnswer(reply, await this.exceptions.resolve(asked, body.reason));
  }

  @Post('exceptions/:exceptionId/correct')
  @HttpCode(ACCEPTED)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Propose the posting that brings our books to what the other side says' })
  @Answers(ACCEPTED, settlementExceptionSchema, 'A second person has to approve its correction.')
  async correctSettlementException(
    @Param('exceptionId') exceptionId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: settlementReasonSchema }) body: Reason,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = { exceptionId: sexId(exceptionId), principal, meta, body };
    await sendAnswer(reply, await this.exceptions.propose(asked, body.reason));
  }

  @Post('exceptions/:exceptionId/corrections/:correctionId/approve')
  @HttpCode(ACCEPTED)
  @Access('settlements:write')
  @ApiOperation({ summary: "Approve another person's correction: it is posted to the ledger" })
  @Answers(ACCEPTED, settlementExceptionSchema, 'RESOLVED as soon as the ledger has posted it.')
  async approveCorrection(
    @Param('exceptionId') exceptionId: string,
    @Param('correctionId') correctionId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked: AskedOfException = { exceptionId: sexId(exceptionId), principal, meta, body: null };
    await sendAnswer(reply, await this.exceptions.approve(asked, correctionId));
  }

  @Post('exceptions/:exceptionId/corrections/:correctionId/refuse')
  @HttpCode(OK)
  @Access('settlements:write')
  @ApiOperation({ summary: 'Refuse a correction; the exception stays open' })
  @Answers(OK, settlementExceptionSchema, 'The exception.')
  async refuseCorrection(
    @Param('exceptionId') exceptionId: string,
    @Param('correctionId') correctionId: string,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: settlementReasonSchema }) body: Reason,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const asked = { exceptionId: sexId(exceptionId), principal, meta, body };
    await sendAnswer(reply, await this.exceptions.refuse(asked, correctionId, body.reason));
  }
}

/** @throws Problem settlement_exception_not_found */
const sexId = (text: string): string => {
  if (!isId('sex', text)) throw new Problem('settlement_exception_not_found');
  return text;
};
