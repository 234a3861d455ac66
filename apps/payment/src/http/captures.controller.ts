import { Body, Controller, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type CancelPaymentRequest,
  cancelPaymentSchema,
  type CapturePaymentRequest,
  capturePaymentSchema,
  paymentSchema,
  type Principal,
  syncPaymentSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { CancelPayment } from '../application/cancel-payment.js';
import { CapturePayment } from '../application/capture-payment.js';
import { SyncPayment } from '../application/sync-payment.js';
import { paymentIdOf } from './path-ids.js';

/** What becomes of a hold: taken, given back, or asked about. */
@ApiTags('Payments')
@Controller('payments/:paymentId')
export class CapturesController {
  constructor(
    private readonly captures: CapturePayment,
    private readonly cancels: CancelPayment,
    private readonly syncs: SyncPayment,
  ) {}

  @Post('capture')
  @Access('payments:write')
  @ApiOperation({ summary: 'Capture all or part of what is authorized; several times while `final` is false' })
  @Answers(200, paymentSchema, '`capturedAmount` is the total captured so far')
  @Answers(202, paymentSchema, 'PROCESSING: the acquirer has not answered; read the payment again later')
  async capturePayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: capturePaymentSchema }) body: CapturePaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.captures.run(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Post('cancel')
  @Access('payments:write')
  @ApiOperation({ summary: 'Release what is not captured' })
  @Answers(200, paymentSchema, 'CANCELED; CAPTURED when a part had been captured')
  @Answers(202, paymentSchema, 'PROCESSING: the acquirer has not answered; read the payment again later')
  async cancelPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: cancelPaymentSchema }) body: CancelPaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.cancels.run(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Post('sync')
  @Access('payments:write')
  @ApiOperation({ summary: 'Ask the acquirer now what became of the payment' })
  @Answers(200, paymentSchema, 'As it is now; nothing is open')
  @Answers(202, paymentSchema, 'The acquirer has not decided, or did not answer; inquiries go on by themselves')
  async syncPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: syncPaymentSchema }) body: Record<string, never>,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.syncs.run(paymentIdOf(paymentId), { principal, meta, body }));
  }
}
