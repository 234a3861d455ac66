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
  printedPaymentAnswerSchema,
  type PrintedPaymentRequest,
  printedPaymentSchema,
  type Principal,
  type ProcessIntentRequest,
  processIntentSchema,
  type UpdatePaymentRequest,
  updatePaymentSchema,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { AuthorizePayment } from '../application/authorize-payment.js';
import { CreatePayment } from '../application/create-payment.js';
import { PrintedPayments } from '../application/printed-payments.js';
import { UpdatePayment } from '../application/update-payment.js';
import { paymentIdOf } from './path-ids.js';

/** Told apart by `payment_method`, which the one needs and the other forbids; neither allows keys of the other. */
const postPaymentSchema = z.union([createPaymentSchema, printedPaymentSchema]);

const isPrinted = (body: CreatePaymentRequest | PrintedPaymentRequest): body is PrintedPaymentRequest =>
  body.payment_method !== undefined;

/** A payment comes to be and is authorized. */
@ApiTags('Payments')
@Controller('payments')
export class PaymentCommandsController {
  constructor(
    private readonly creation: CreatePayment,
    private readonly printed: PrintedPayments,
    private readonly change: UpdatePayment,
    private readonly authorization: AuthorizePayment,
  ) {}

  @Post()
  @Access('payments:write')
  @ApiOperation({
    summary: 'Create an intent; no acquirer is called',
    description:
      'A body with snake-case keys (`payment_method`) is the printed call of the requirement documents instead: create, ' +
      'authorize and capture in one, the amount in text and in major units. With `fromUser` in the query it is a payment ' +
      'between two wallets. A mixture is refused.',
  })
  @Answers(
    201,
    z.union([createdPaymentSchema, printedPaymentAnswerSchema]),
    'An intent: PENDING, with the secret for the browser of the payer, shown once. A printed payment: completed or failed',
  )
  @Answers(202, printedPaymentAnswerSchema, 'A printed payment: processing; read the payment again later')
  async createPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Body({ schema: postPaymentSchema }) body: CreatePaymentRequest | PrintedPaymentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    const answer = isPrinted(body)
      ? await this.printed.run({ principal, meta, body })
      : await this.creation.run({ principal, meta, body });
    await sendAnswer(reply, answer);
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
