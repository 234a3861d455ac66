import { Body, Controller, Get, Headers, Param, Post, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  type ConfirmIntentRequest,
  confirmIntentSchema,
  type PayerView,
  payerViewSchema,
  paymentSchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller, RequestMeta, sendAnswer } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';

import { PayerAccess } from '../application/payer-access.js';
import { paymentIdOf } from './path-ids.js';

/** A header and not the query: addresses end up in logs. */
const CLIENT_SECRET = 'x-client-secret';

/** The merchant sees his payment, the payer what concerns him. */
const confirmedSchema = z.union([paymentSchema, payerViewSchema]);

/** What the browser of a payer may do, with a publishable key and the client secret of his payment. */
@ApiTags('Payments')
@Controller('payments')
export class PayerController {
  constructor(private readonly payer: PayerAccess) {}

  @Post(':paymentId/confirm')
  @Access('payments:confirm')
  @ApiOperation({
    summary: 'Authorize an intent as its payer',
    description: 'With a publishable key (`Bearer pk_test_…`) and the `clientSecret` of the intent.',
  })
  @Answers(200, confirmedSchema, 'AUTHORIZED, CAPTURED, or FAILED with `lastError`')
  @Answers(202, confirmedSchema, 'REQUIRES_ACTION with `nextAction`, or PROCESSING')
  async confirmPayment(
    @Caller() principal: Principal,
    @RequestMeta() meta: RequestMeta,
    @Param('paymentId') paymentId: string,
    @Body({ schema: confirmIntentSchema }) body: ConfirmIntentRequest,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await sendAnswer(reply, await this.payer.confirm(paymentIdOf(paymentId), { principal, meta, body }));
  }

  @Get(':paymentId/status')
  @Access('payments:confirm')
  @ApiOperation({ summary: 'How a payment stands, for the browser of its payer' })
  @ApiHeader({ name: CLIENT_SECRET, required: false, description: 'Required with a publishable key.' })
  @Answers(200, payerViewSchema, 'Status, and what the payer has to do')
  async readPaymentStatus(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
    @Headers(CLIENT_SECRET) clientSecret: string | undefined,
  ): Promise<PayerView> {
    return await this.payer.status(paymentIdOf(paymentId), principal, clientSecret);
  }
}
