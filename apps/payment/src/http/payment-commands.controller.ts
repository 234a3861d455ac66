import { Body, Controller, Param, Patch, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type AuthorizeIntentRequest,
  authorizeIntentSchema,
  type AuthorizePaymentRequest,
  authorizePaymentSchema,
  createdPaymentSchema,
  type CreatePaymentRequest,
  createPaymentSchema,
  paymentSchema,
  type Principal,
  type ProcessIntentRequest,
  processIntentSchema,
  type UpdatePaymentRequest,
  updatePaymentSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';

import { AuthorizePayment } from '../application/authorize-payment.js';
import { CreatePayment } from '../application/create-payment.js';
import { UpdatePayment } from '../application/update-payment.js';
import { paymentIdOf } from './path-ids.js';

/** A payment comes to be and is authorized. */
@ApiTags('Payments')
@Controller('payments')
export class PaymentCommandsController {
  constructor(
    private readonly creation: CreatePayment,
    private readonly change: UpdatePayment,
    private readonly authorization: AuthorizePayment,
  ) {}

  @Post()
  @Access('payments:write')
  @ApiOperation({ summary: 'Create an intent; no acquirer is called' })
  @Answers(201, createdPaymentSchema, 'PENDING, with the secret for the browser of the payer, shown once')
  async createPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: createPaymentSchema }) body: CreatePaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.creation.run({ principal, meta, body }));
  }

  @Post('authorize')
  @Access('payments:write')
  @ApiOperation({ summary: 'Create and authorize in one call; `capture: true` is a sale' })
  @Answers(201, paymentSchema, 'AUTHORIZED, CAPTURED, or FAILED with `lastError`')
  @Answers(202, paymentSchema, 'PROCESSING: the acquirer has not answered; read the payment again later')
  async authorizePayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: authorizePaymentSchema }) body: AuthorizePaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.authorization.create({ principal, meta, body }));
  }

  @Patch(':paymentId')
  @Access('payments:write')
  @ApiOperation({ summary: 'Change an intent before it is authorized' })
  @Answers(200, paymentSchema, 'The intent as it is now')
  async updatePayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: updatePaymentSchema }) body: UpdatePaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.change.run(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Post(':paymentId/authorize')
  @Access('payments:write')
  @ApiOperation({ summary: 'Authorize an intent' })
  @Answers(200, paymentSchema, 'AUTHORIZED, CAPTURED, or FAILED with `lastError`')
  @Answers(202, paymentSchema, 'PROCESSING: the acquirer has not answered; read the payment again later')
  async authorizeIntent(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: authorizeIntentSchema }) body: AuthorizeIntentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.authorization.confirm(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Post(':paymentId/process')
  @Access('payments:write')
  @ApiOperation({ summary: 'Authorize and capture an intent at once' })
  @Answers(200, paymentSchema, 'CAPTURED, or FAILED with `lastError`')
  @Answers(202, paymentSchema, 'PROCESSING: the acquirer has not answered; read the payment again later')
  async processIntent(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: processIntentSchema }) body: ProcessIntentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const request = { principal, meta, body: { ...body, capture: true } };
    await sendAnswer(reply, await this.authorization.confirm(paymentIdOf(paymentId), request));
  }
}
