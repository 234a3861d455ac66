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
} as const;

export type PaymentEventName = keyof typeof PAYMENT_EVENTS;
export type PaymentEventPayload<Name extends PaymentEventName> = z.infer<(typeof PAYMENT_EVENTS)[Name]['payload']>;
