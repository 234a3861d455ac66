import { Controller, Get, Param } from '@nestjs/common';
import { idSchema, type TimelineItem, type TimelinePart } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';

import { judgementsOf, type JudgedRow } from '../store/payment-timeline.js';

/** Fraud's part of a payment's timeline. */
@Controller('internal/timeline')
export class PaymentTimelineController {
  constructor(private readonly database: Database) {}

  @Get(':paymentId')
  @Access('internal')
  async paymentTimeline(@Param('paymentId', { schema: idSchema('pay') }) paymentId: string): Promise<TimelinePart> {
    return { items: (await judgementsOf(this.database, paymentId)).flatMap(itemsOf), truncated: false };
  }
}

const itemsOf = (row: JudgedRow): readonly TimelineItem[] => {
  const decision: TimelineItem = {
    at: row.decided_at.toISOString(),
    kind: 'fraud_decision',
    service: 'fraud',
    id: row.id,
    causedBy: null,
    correlationId: null,
    // The merchant reads it too: the score, the rules and who decided are for staff, behind the link.
    summary: row.outcome,
    links: { decision: `/fraud/decisions/${row.id}` },
  };
  if (row.review_id === null || row.review_created_at === null) return [decision];
  const review: TimelineItem = {
    ...decision,
    at: (row.review_decided_at ?? row.review_created_at).toISOString(),
    kind: 'fraud_review',
    id: row.review_id,
    causedBy: row.id,
    summary: row.review_decided_by === null ? 'waits for people' : (row.review_status ?? ''),
    links: { review: `/fraud/reviews/${row.review_id}` },
  };
  return [decision, review];
};
