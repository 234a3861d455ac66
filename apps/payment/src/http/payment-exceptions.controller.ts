import { Body, Controller, Get, Param, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ListPaymentExceptionsQuery,
  listPaymentExceptionsQuerySchema,
  paymentExceptionPageSchema,
  paymentExceptionSchema,
  type Principal,
  type ResolvePaymentExceptionRequest,
  resolvePaymentExceptionSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { type ExceptionPage, PaymentExceptions } from '../application/payment-exceptions.js';
import { exceptionIdOf } from './path-ids.js';

/** For staff: what the machine leaves to people. */
@ApiTags('Operations')
@Controller('payment-exceptions')
export class PaymentExceptionsController {
  constructor(private readonly exceptions: PaymentExceptions) {}

  @Get()
  @Access('operations:read')
  @ApiOperation({ summary: 'What people have to decide about payments, newest first; `open=true` is the work list' })
  @Answers(200, paymentExceptionPageSchema, 'Of all merchants')
  async listPaymentExceptions(
    @Query({ schema: listPaymentExceptionsQuerySchema }) query: ListPaymentExceptionsQuery,
  ): Promise<ExceptionPage> {
    return await this.exceptions.page(query);
  }

  @Post(':exceptionId/resolve')
  @Access('operations:write')
  @ApiOperation({ summary: 'Say what was found and done; the payment itself is not changed by it' })
  @Answers(200, paymentExceptionSchema, 'Resolved, by whom and how')
  async resolvePaymentException(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('exceptionId') exceptionId: string,
    @Body({ schema: resolvePaymentExceptionSchema }) body: ResolvePaymentExceptionRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.exceptions.resolve(exceptionIdOf(exceptionId), { principal, meta, body }));
  }
}
