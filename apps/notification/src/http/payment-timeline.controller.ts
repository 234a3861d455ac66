import { Controller, Get, Param } from '@nestjs/common';
import { idSchema, TIMELINE_ITEMS_MAX, type TimelineItem, type TimelinePart } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Access } from '@payflow/service';

import { type DeliveryRow, deliveriesOfPayment, messagesOfPayment, type SentRow } from '../store/payment-timeline.js';

/** Notification's part of a payment's timeline: who was told of it, and whether he heard. */
@Controller('internal/timeline')
export class PaymentTimelineController {
  constructor(private readonly database: Database) {}

  @Get(':paymentId')
  @Access('internal')
  async paymentTimeline(@Param('paymentId', { schema: idSchema('pay') }) paymentId: string): Promise<TimelinePart> {
    const [deliveries, messages] = await Promise.all([
      deliveriesOfPayment(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
      messagesOfPayment(this.database, paymentId, TIMELINE_ITEMS_MAX + 1),
    ]);
    const items = [...deliveries.map(deliveryItem), ...messages.map(messageItem)].sort((a, b) =>
      a.at < b.at ? -1 : 1,
    );
    return { items: items.slice(0, TIMELINE_ITEMS_MAX), truncated: items.length > TIMELINE_ITEMS_MAX };
  }
}

const deliveryItem = (row: DeliveryRow): TimelineItem => ({
  at: (row.ended_at ?? row.created_at).toISOString(),
  kind: 'webhook_delivery',
  service: 'notification',
  id: row.delivery_id,
  causedBy: row.event_id,
  correlationId: null,
  summary: `${row.event_type} to ${new URL(row.url).host}: ${row.status} after ${row.tries} tries`,
  links: {
    endpoint: `/webhook-endpoints/${row.endpoint_id}`,
    deliveries: `/webhook-endpoints/${row.endpoint_id}/deliveries`,
    event: `/events/${row.event_id}`,
  },
});

const messageItem = (row: SentRow): TimelineItem => ({
  at: (row.ended_at ?? row.occurred_at).toISOString(),
  kind: 'message',
  service: 'notification',
  id: row.message_id,
  causedBy: row.event_id,
  correlationId: null,
  summary: `${row.channel} to ${row.recipient_id}: ${row.status}`,
  links: {},
});
