import { Controller, Get, Param, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import {
  asOfQuerySchema,
  type ListPaymentsQuery,
  listPaymentsQuerySchema,
  paymentAttemptsSchema,
  type PaymentDetailResponse,
  paymentDetailSchema,
  paymentEventsSchema,
  paymentPageSchema,
  type Principal,
} from '@payflow/contracts';
import { Access, Answers, Caller, entityTag } from '@payflow/service';
import type { FastifyReply } from 'fastify';
import type { z } from 'zod';

import { ListPayments, type PaymentPage } from '../application/list-payments.js';
import { ReadPayment } from '../application/read-payment.js';
import { metadataFilterOf } from './metadata-filter.js';
import { paymentIdOf } from './path-ids.js';

type AsOfQuery = z.infer<typeof asOfQuerySchema>;

@ApiTags('Payments')
@Controller('payments')
export class PaymentQueriesController {
  constructor(
    private readonly reading: ReadPayment,
    private readonly listing: ListPayments,
  ) {}

  @Get()
  @Access('payments:read')
  @ApiOperation({ summary: 'Payments, newest first; `metadata[key]=value` filters by metadata' })
  @Answers(200, paymentPageSchema, 'Those the caller may see')
  async listPayments(
    @Caller() principal: Principal,
    @Query({ schema: listPaymentsQuerySchema }) query: ListPaymentsQuery,
  ): Promise<PaymentPage> {
    return await this.listing.run(principal, query, metadataFilterOf(query));
  }

  @Get(':paymentId')
  @Access('payments:read')
  @ApiOperation({ summary: 'A payment with its ledger entries; `asOf` shows it as it stood then' })
  @Answers(200, paymentDetailSchema, 'What the last 2xx answer said is in it, ledger included')
  async readPayment(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
    @Query({ schema: asOfQuerySchema }) query: AsOfQuery,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDetailResponse> {
    const payment = await this.reading.detail(paymentIdOf(paymentId), principal, query.asOf);
    void reply.header('etag', entityTag(payment.version));
    return payment;
  }

  @Get(':paymentId/events')
  @Access('payments:read')
  @ApiOperation({ summary: 'The history of a payment, oldest first' })
  @Answers(200, paymentEventsSchema, 'Versions 1 to n without a gap')
  async listPaymentEvents(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
    @Query({ schema: asOfQuerySchema }) query: AsOfQuery,
  ): Promise<z.infer<typeof paymentEventsSchema>> {
    return await this.reading.events(paymentIdOf(paymentId), principal, query.asOf);
  }

  @Get(':paymentId/attempts')
  @Access('payments:read')
  @ApiOperation({ summary: 'Each order to an acquirer, oldest first' })
  @Answers(200, paymentAttemptsSchema, 'With what became of it')
  async listPaymentAttempts(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
  ): Promise<z.infer<typeof paymentAttemptsSchema>> {
    return await this.reading.attempts(paymentIdOf(paymentId), principal);
  }
}
