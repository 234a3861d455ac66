import { Controller, Get, Param } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type PaymentTimeline, paymentTimelineSchema, type Principal } from '@payflow/contracts';
import { Access, Answers, Caller } from '@payflow/service';

import { ReadTimeline } from '../application/read-timeline.js';
import { paymentIdOf } from './path-ids.js';

@ApiTags('Payments')
@Controller('payments')
export class TimelineController {
  constructor(private readonly timeline: ReadTimeline) {}

  @Get(':paymentId/timeline')
  @Access('payments:read')
  @ApiOperation({
    summary: 'Everything that happened to a payment, in all services, as one list',
    description:
      'Events, orders at acquirers and their messages, fraud decisions, ledger transactions, deliveries of webhooks and ' +
      'messages, settlement and payout. Each line names what it follows from. For the merchant and for staff.',
  })
  @Answers(200, paymentTimelineSchema, 'Oldest first; `missing` names services that did not answer in time.')
  async readPaymentTimeline(
    @Caller() principal: Principal,
    @Param('paymentId') paymentId: string,
  ): Promise<PaymentTimeline> {
    return await this.timeline.run(paymentIdOf(paymentId), principal);
  }
}
