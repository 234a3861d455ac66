import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CreateRefundRequest,
  createRefundSchema,
  listRefundsQuerySchema,
  type Principal,
  refundPageSchema,
  type RefundPaymentRequest,
  refundPaymentSchema,
  type RefundResponse,
  refundResultSchema,
  refundSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ReadRefunds } from '../application/read-refunds.js';
import { RefundPayment } from '../application/refund-payment.js';
import { paymentIdOf, refundIdOf } from './path-ids.js';

type RefundsQuery = z.infer<typeof listRefundsQuerySchema>;
type RefundPage = z.infer<typeof refundPageSchema>;

/** The same refund in either spelling is the same request. */
const inOneSpelling = (body: CreateRefundRequest): Extract<CreateRefundRequest, { readonly paymentId: string }> => {
  if ('paymentId' in body) return body;
  const { payment_id: paymentId, ...refund } = body;
  return { paymentId, ...refund };
};

@ApiTags('Refunds')
@Controller()
export class RefundsController {
  constructor(
    private readonly refunds: RefundPayment,
    private readonly reading: ReadRefunds,
  ) {}

  @Post('payments/:paymentId/refund')
  @Access('payments:write')
  @ApiOperation({ summary: 'Refund all or part of what was captured' })
  @Answers(200, refundResultSchema, 'REFUNDED, or FAILED when the acquirer refused; `refundedAmount` is of this refund')
  @Answers(202, refundResultSchema, 'PENDING: the acquirer has not answered; read the refund again later')
  async refundPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: refundPaymentSchema }) body: RefundPaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.refunds.run(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Post('refunds')
  @Access('payments:write')
  @ApiOperation({ summary: 'Refund a payment that the body names' })
  @Answers(200, refundResultSchema, 'REFUNDED, or FAILED when the acquirer refused; `refundedAmount` is of this refund')
  @Answers(202, refundResultSchema, 'PENDING: the acquirer has not answered; read the refund again later')
  async createRefund(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createRefundSchema }) body: CreateRefundRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const refund = inOneSpelling(body);
    await sendAnswer(reply, await this.refunds.run(refund.paymentId, { principal, meta, body: refund }));
  }

  @Get('refunds')
  @Access('payments:read')
  @ApiOperation({ summary: 'Refunds, newest first' })
  @Answers(200, refundPageSchema, 'Those the caller may see')
  async listRefunds(
    @Caller() principal: Principal,
    @Query({ schema: listRefundsQuerySchema }) query: RefundsQuery,
  ): Promise<RefundPage> {
    return await this.reading.page(principal, query);
  }

  @Get('refunds/:refundId')
  @Access('payments:read')
  @ApiOperation({ summary: 'One refund with its own life' })
  @Answers(200, refundSchema, 'PENDING, SUCCEEDED, FAILED or CANCELED')
  async readRefund(@Caller() principal: Principal, @Param('refundId') refundId: string): Promise<RefundResponse> {
    return await this.reading.one(refundIdOf(refundId), principal);
  }
}
