import { z } from 'zod';

import { amountSchema, currencySchema, minorSchema, timeSchema } from '../http/shared-fields.js';
import type { EventDefinition } from './envelope.js';

/** What every payment event says, so that a consumer of one topic needs no other. */
const subject = {
  paymentId: z.string(),
  merchantId: z.string(),
  userId: z.string().nullable(),
  currency: currencySchema,
  metadata: z.record(z.string(), z.string()),
};

/** What every event of a dispute says. The aggregate is the payment, so its events stay in one order. */
const disputeSubject = {
  ...subject,
  disputeId: z.string(),
  amount: amountSchema.meta({ description: 'The disputed part of the payment, minor units.' }),
  acquirer: z.string(),
  acquirerReference: z.string().meta({ description: "The acquirer's id of the dispute." }),
};

const define = <Payload extends z.ZodType>(definition: EventDefinition<Payload>): EventDefinition<Payload> =>
  definition;

/** Events of a payment. `metadata` is the payment's, set by the merchant. */
export const PAYMENT_EVENTS = {
  created: define({
    topic: 'payment.created',
    type: 'payment.created.v1',
    summary: 'A payment exists; no acquirer has been called.',
    payload: z.object({ ...subject, amount: amountSchema, reference: z.string().nullable() }),
  }),
  authorized: define({
    topic: 'payment.authorized',
    type: 'payment.authorized.v1',
    summary: 'The acquirer reserved the amount.',
    payload: z.object({
      ...subject,
      amount: amountSchema,
      acquirer: z.string(),
      acquirerReference: z.string(),
      attemptId: z.string(),
      expiresAt: timeSchema,
      paymentMethod: z.object({
        type: z.string(),
        brand: z.string().optional(),
        last4: z.string().optional(),
        fingerprint: z.string().optional(),
      }),
    }),
  }),
  captured: define({
    topic: 'payment.captured',
    type: 'payment.captured.v1',
    summary: 'The acquirer took (part of) the authorized amount.',
    payload: z.object({
      ...subject,
      captureId: z.string(),
      amount: amountSchema,
      fee: minorSchema.meta({ description: "PayFlow's fee on this capture." }),
      released: minorSchema.meta({
        description: 'What the capture took off the hold: the amount, and the rest with the last capture.',
      }),
      capturedTotal: minorSchema,
      final: z.boolean(),
      acquirer: z.string(),
      acquirerReference: z.string(),
    }),
  }),
  requiresAction: define({
    topic: 'payment.requires_action',
    type: 'payment.requires_action.v1',
    summary: 'The acquirer waits for the payer: a 3-D Secure challenge, or the page of his bank.',
    payload: z.object({
      ...subject,
      amount: amountSchema,
      acquirer: z.string(),
      attemptId: z.string(),
      redirectUrl: z.string(),
      expiresAt: timeSchema,
    }),
  }),
  inReview: define({
    topic: 'payment.in_review',
    type: 'payment.in_review.v1',
    summary: 'People look at the payment before any acquirer is asked: the fraud decision was doubtful.',
    payload: z.object({
      ...subject,
      amount: amountSchema,
      decisionId: z.string().nullable(),
      reviewId: z.string().nullable().meta({
        description: 'Null: fraud could not be asked. It is asked again, and a review may follow.',
      }),
      decideBy: timeSchema.meta({ description: 'Rejected when nobody has decided until then.' }),
    }),
  }),
  expired: define({
    topic: 'payment.expired',
    type: 'payment.expired.v1',
    summary: 'The authorization ran out; what was not captured was voided at the acquirer.',
    payload: z.object({
      ...subject,
      released: minorSchema.meta({ description: 'What went back from the hold.' }),
      acquirer: z.string(),
    }),
  }),
  stuck: define({
    topic: 'payment.stuck',
    type: 'payment.stuck.v1',
    summary: 'Every inquiry has gone by and the outcome of an operation is still unknown: people have to look at it.',
    payload: z.object({
      ...subject,
      operationId: z.string(),
      operation: z.enum(['authorize', 'capture', 'void', 'refund']),
      acquirer: z.string(),
      inquiries: z.int(),
    }),
  }),
  failed: define({
    topic: 'payment.failed',
    type: 'payment.failed.v1',
    summary: 'The authorization ended in a refusal. No money moved.',
    payload: z.object({
      ...subject,
      amount: amountSchema,
      acquirer: z.string().nullable(),
      attemptId: z.string().nullable(),
      code: z.string(),
      declineCode: z.string().nullable(),
      message: z.string(),
    }),
  }),
  refunded: define({
    topic: 'payment.refunded',
    type: 'payment.refunded.v1',
    summary: 'The acquirer accepted a refund.',
    payload: z.object({
      ...subject,
      refundId: z.string(),
      amount: amountSchema,
      refundedTotal: minorSchema,
      reason: z.string().nullable(),
      acquirer: z.string(),
      acquirerReference: z.string(),
    }),
  }),
  canceled: define({
    topic: 'payment.canceled',
    type: 'payment.canceled.v1',
    summary: 'What was not captured was released.',
    payload: z.object({
      ...subject,
      released: minorSchema.meta({ description: 'What went back from the hold: 0 when nothing was authorized.' }),
      acquirer: z.string().nullable(),
      reason: z.string().nullable(),
    }),
  }),
  refundFailed: define({
    topic: 'refund.failed',
    type: 'refund.failed.v1',
    summary: 'The acquirer refused a refund; the amount is refundable again.',
    payload: z.object({
      ...subject,
      refundId: z.string(),
      amount: amountSchema,
      acquirer: z.string(),
      code: z.string(),
      message: z.string(),
      reversed: z.boolean().meta({
        description: 'It had been told as refunded before: what was given back is taken back.',
      }),
    }),
  }),
  settled: define({
    topic: 'payment.settled',
    type: 'payment.settled.v1',
    summary: 'A settlement took in what had happened to the payment since it was last settled.',
    payload: z.object({
      ...subject,
      settlementId: z.string(),
      acquirer: z.string(),
      bank: z.string().meta({ description: 'Where the acquirer pays it in: `bank:{bank}:cash`.' }),
      gross: minorSchema.meta({
        description: 'What the acquirer pays for it: captures less refunds and chargebacks; may be below zero.',
      }),
      fee: minorSchema.meta({ description: "PayFlow's fees of these lines; may be below zero." }),
      net: minorSchema.meta({ description: 'gross − fee: what the merchant is paid for it.' }),
      balanceTransactionIds: z.array(z.string()),
    }),
  }),
  disputeOpened: define({
    topic: 'dispute.opened',
    type: 'dispute.opened.v1',
    summary: 'The payer disputes the payment at his bank: the acquirer took the amount back, and the fee is charged.',
    payload: z.object({
      ...disputeSubject,
      fee: minorSchema.meta({ description: 'Charged to the merchant for the dispute; 0 where none is.' }),
      reason: z.string().meta({ description: 'fraudulent, product_not_received, duplicate …' }),
      evidenceDueBy: timeSchema,
    }),
  }),
  disputeUpdated: define({
    topic: 'dispute.updated',
    type: 'dispute.updated.v1',
    summary: 'Evidence for a dispute was sent to the acquirer.',
    payload: z.object({ ...disputeSubject, status: z.enum(['NEEDS_RESPONSE', 'UNDER_REVIEW']) }),
  }),
  disputeClosed: define({
    topic: 'dispute.closed',
    type: 'dispute.closed.v1',
    summary: 'A dispute has ended. Won: the amount came back.',
    payload: z.object({
      ...disputeSubject,
      status: z.enum(['WON', 'LOST', 'ACCEPTED', 'EXPIRED']),
      feeReturned: minorSchema.meta({ description: 'What of the fee the merchant gets back.' }),
    }),
  }),
} as const;

export type PaymentEventName = keyof typeof PAYMENT_EVENTS;
export type PaymentEventPayload<Name extends PaymentEventName> = z.infer<(typeof PAYMENT_EVENTS)[Name]['payload']>;
