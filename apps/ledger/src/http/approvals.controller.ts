import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  approveLedgerApprovalSchema,
  ledgerApprovalPageSchema,
  ledgerApprovalSchema,
  type LedgerApprovalView,
  type ListLedgerApprovalsQuery,
  listLedgerApprovalsQuerySchema,
  type Principal,
  refuseLedgerApprovalSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, Idempotency, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { DecideApprovalHandler } from '../application/decide-approval.js';

type ApproveRequest = z.infer<typeof approveLedgerApprovalSchema>;
type RefuseRequest = z.infer<typeof refuseLedgerApprovalSchema>;

/** Postings and reversals of people, which wait for a second person. */
@ApiTags('Ledger')
@Controller('ledger/approvals')
export class ApprovalsController {
  constructor(
    private readonly idempotency: Idempotency,
    private readonly approvals: DecideApprovalHandler,
  ) {}

  @Get()
  @Access('ledger:approve')
  @ApiOperation({ summary: 'What people asked the ledger for, newest first; `status=WAITING` is the work list' })
  @Answers(200, ledgerApprovalPageSchema, 'A page of approvals.')
  async listLedgerApprovals(
    @Query({ schema: listLedgerApprovalsQuerySchema }) query: ListLedgerApprovalsQuery,
  ): Promise<z.infer<typeof ledgerApprovalPageSchema>> {
    return await this.approvals.page(query);
  }

  @Get(':approvalId')
  @Access('ledger:approve')
  @ApiOperation({ summary: 'What was asked for, by whom, and what became of it' })
  @Answers(200, ledgerApprovalSchema, 'The approval.')
  async readLedgerApproval(@Param('approvalId') approvalId: string): Promise<LedgerApprovalView> {
    return await this.approvals.get(approvalId);
  }

  @Post(':approvalId/approve')
  @Access('ledger:approve')
  @ApiOperation({ summary: 'Have it posted; by another person than the one who asked for it' })
  @Answers(200, ledgerApprovalSchema, 'Posted, in the commit that says so.')
  async approveLedgerApproval(
    @Param('approvalId') approvalId: string,
    @Body({ schema: approveLedgerApprovalSchema }) body: ApproveRequest,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body });
    const command = { approvalId, verdict: 'approve', reason: body.reason ?? null, principal, identity } as const;
    await sendAnswer(reply, await this.approvals.run(command));
  }

  @Post(':approvalId/refuse')
  @Access('ledger:approve')
  @ApiOperation({ summary: 'Have it not posted, with a reason; by another person than the one who asked for it' })
  @Answers(200, ledgerApprovalSchema, 'Refused for good.')
  async refuseLedgerApproval(
    @Param('approvalId') approvalId: string,
    @Body({ schema: refuseLedgerApprovalSchema }) body: RefuseRequest,
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const identity = this.idempotency.identify({ meta, principal, body });
    const command = { approvalId, verdict: 'refuse', reason: body.reason, principal, identity } as const;
    await sendAnswer(reply, await this.approvals.run(command));
  }
}
