import { Controller, Get, Param } from '@nestjs/common';
import { idSchema, TIMELINE_ITEMS_MAX, type TimelineItem, type TimelinePart } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';

import { type PaymentTransactionRow, transactionsOfPayment } from '../store/payment-timeline.js';

/** The ledger's part of a payment's timeline. */
@Controller('internal/timeline')
export class PaymentTimelineController {
  constructor(private readonly database: Database) {}

  @Get(':paymentId')
  @Access('internal')
  async paymentTimeline(@Param('paymentId', { schema: idSchema('pay') }) paymentId: string): Promise<TimelinePart> {
    const rows = await transactionsOfPayment(this.database, paymentId, TIMELINE_ITEMS_MAX + 1);
    return { items: rows.slice(0, TIMELINE_ITEMS_MAX).map(itemOf), truncated: rows.length > TIMELINE_ITEMS_MAX };
  }
}

const itemOf = (row: PaymentTransactionRow): TimelineItem => ({
  at: row.recorded_at.toISOString(),
  kind: 'ledger_transaction',
  service: 'ledger',
  id: row.id,
  causedBy: row.event_id ?? row.reverts ?? row.posted_by,
  correlationId: row.correlation_id,
  summary: row.lines.join(', '),
  links: { transaction: `/ledger/transactions/${row.id}` },
});
