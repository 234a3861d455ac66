import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CreateQrRequest,
  createQrSchema,
  type ListApprovalsQuery,
  listApprovalsQuerySchema,
  type Principal,
  qrSchema,
  type QrView,
  type WalletApproval,
  walletApprovalPageSchema,
  walletApprovalSchema,
  walletPaidSchema,
  type WalletPayRequest,
  walletPaySchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { Approvals } from '../application/approvals.js';
import { PayMerchant } from '../application/pay-merchant.js';
import { QrCodes } from '../application/qr-codes.js';
import { approvalIdOf } from './path-ids.js';

/** Merchants are paid from wallets. */
@ApiTags('Wallets')
@Controller('wallet')
export class PayController {
  constructor(
    private readonly pays: PayMerchant,
    private readonly codes: QrCodes,
    private readonly approvals: Approvals,
  ) {}

  @Post('pay')
  @Access('wallets:write')
  @ApiOperation({ summary: 'Pay a merchant from your own wallet, by his id or by his QR code' })
  @Answers(201, walletPaidSchema, 'Paid.')
  @Answers(202, walletPaidSchema, 'PENDING: GET /transactions/{id} tells how it ends.')
  async payMerchant(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: walletPaySchema }) body: WalletPayRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.pays.run(principal, meta, body));
  }

  @Post('qr')
  @HttpCode(201)
  @Access('payments:write')
  @ApiOperation({ summary: 'A code by which wallets pay you' })
  @Answers(201, qrSchema, 'Its text, and a picture of it.')
  async createQrCode(
    @Caller() principal: Principal,
    @Body({ schema: createQrSchema }) body: CreateQrRequest,
  ): Promise<QrView> {
    return await this.codes.create(principal, body);
  }

  @Get('approvals')
  @Access('wallets:read')
  @ApiOperation({ summary: 'What merchants have asked of your wallets, newest first' })
  @Answers(200, walletApprovalPageSchema, 'A page of approvals.')
  async listApprovals(
    @Caller() principal: Principal,
    @Query({ schema: listApprovalsQuerySchema }) query: ListApprovalsQuery,
  ): Promise<{ data: WalletApproval[]; nextCursor: string | null }> {
    return await this.approvals.page(principal, query);
  }

  @Get('approvals/:approvalId')
  @Access('wallets:read')
  @ApiOperation({ summary: 'Read an approval' })
  @Answers(200, walletApprovalSchema, 'The approval.')
  async getApproval(@Caller() principal: Principal, @Param('approvalId') approvalId: string): Promise<WalletApproval> {
    return await this.approvals.one(principal, approvalIdOf(approvalId));
  }

  @Post('approvals/:approvalId/approve')
  @HttpCode(200)
  @Access('wallets:write')
  @ApiOperation({ summary: 'Let the merchant have it: the amount is held in your wallet' })
  @Answers(200, walletApprovalSchema, 'APPROVED; or DECLINED, when the wallet holds less.')
  async approve(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('approvalId') approvalId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.approvals.decide(principal, approvalIdOf(approvalId), 'approve', meta));
  }

  @Post('approvals/:approvalId/decline')
  @HttpCode(200)
  @Access('wallets:write')
  @ApiOperation({ summary: 'Refuse it' })
  @Answers(200, walletApprovalSchema, 'DECLINED.')
  async decline(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('approvalId') approvalId: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.approvals.decide(principal, approvalIdOf(approvalId), 'decline', meta));
  }
}
