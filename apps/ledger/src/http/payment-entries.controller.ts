import { Controller, Get, Param, Query } from '@nestjs/common';
import {
  idSchema,
  type PaymentEntriesQuery,
  paymentEntriesQuerySchema,
  type PaymentEntriesResponse,
} from '@payflow/contracts';
import { EventCatchUp } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';

import { paymentEntriesResponse } from '../application/responses.js';
import { JOURNAL_CONSUMER } from '../events/payment-events.controller.js';
import { findPaymentLines } from '../store/journal-reads.js';

/** What `payment` shows of the ledger in GET /payments/{id}: its caller reads his own writes. */
@Controller('internal/payments')
export class PaymentEntriesController {
  constructor(
    private readonly database: Database,
    private readonly catchUp: EventCatchUp,
  ) {}

  @Get(':paymentId/entries')
  @Access('internal')
  async paymentEntries(
    @Param('paymentId', { schema: idSchema('pay') }) paymentId: string,
    @Query({ schema: paymentEntriesQuerySchema }) query: PaymentEntriesQuery,
  ): Promise<PaymentEntriesResponse> {
    const applied = await this.catchUp.catchUp(JOURNAL_CONSUMER, 'payment', paymentId, query.sequence, query.waitMs);
    const asOf = query.asOf === undefined ? null : new Date(query.asOf);
    return paymentEntriesResponse(applied, await findPaymentLines(this.database, paymentId, query.sequence, asOf));
  }
}
