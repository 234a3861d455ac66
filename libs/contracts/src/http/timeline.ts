import { z } from 'zod';

import { timeSchema } from './shared-fields.js';

/** What a line of a payment's timeline tells of. */
export const TIMELINE_KINDS = [
  'event',
  'acquirer_order',
  'acquirer_message',
  'fraud_decision',
  'fraud_review',
  'ledger_transaction',
  'webhook_delivery',
  'message',
  'balance_transaction',
  'settlement',
  'payout',
  'reconciliation',
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** A service's part has at most so many lines; the oldest are kept, for a story is read from its beginning. */
export const TIMELINE_ITEMS_MAX = 500;

export const timelineItemSchema = z
  .object({
    at: timeSchema,
    kind: z.enum(TIMELINE_KINDS),
    service: z.string(),
    id: z.string().meta({ description: 'Of the thing itself: an event, an order, a transaction, a delivery.' }),
    causedBy: z
      .string()
      .nullable()
      .meta({ description: 'The id of the line that it follows from, or of the request; null where nothing says so.' }),
    correlationId: z.string().nullable().meta({ description: 'The request that began it all.' }),
    summary: z.string(),
    links: z
      .record(z.string(), z.string())
      .meta({ description: 'Where to read on, by what it is: paths of this API.' }),
  })
  .meta({ id: 'TimelineItem' });
export type TimelineItem = z.infer<typeof timelineItemSchema>;

/** GET /internal/timeline/{paymentId} of fraud, ledger, notification and settlement: what each knows of a payment. */
export const timelinePartSchema = z.object({
  items: z.array(timelineItemSchema).max(TIMELINE_ITEMS_MAX),
  truncated: z.boolean(),
});
export type TimelinePart = z.infer<typeof timelinePartSchema>;

/** GET /payments/{id}/timeline */
export const paymentTimelineSchema = z
  .object({
    paymentId: z.string(),
    complete: z.boolean().meta({ description: 'Whether every service answered, and each with all it has.' }),
    missing: z
      .array(z.string())
      .meta({ description: 'Services that did not answer in time: their lines are not here.' }),
    truncated: z.array(z.string()).meta({ description: `Services that have more than ${TIMELINE_ITEMS_MAX} lines.` }),
    data: z
      .array(timelineItemSchema)
      .meta({ description: 'Oldest first; of one moment, the cause before its effect.' }),
  })
  .meta({ id: 'PaymentTimeline' });
export type PaymentTimeline = z.infer<typeof paymentTimelineSchema>;
