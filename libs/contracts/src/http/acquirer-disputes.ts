import { z } from 'zod';

import { amountSchema, currencySchema, idSchema, minorSchema, timeSchema } from './shared-fields.js';

/*
 * A dispute in the acquirer's book: the payer asked his bank for the money back, and the acquirer took it from us. Its words
 * and what moves money are the acquirer's; we may answer once, with evidence or by accepting it.
 */

/** NEEDS_RESPONSE and UNDER_REVIEW are open; the others are ends. */
export const DISPUTE_STATUSES = ['NEEDS_RESPONSE', 'UNDER_REVIEW', 'WON', 'LOST', 'ACCEPTED', 'EXPIRED'] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

export const DISPUTE_RESPONSES = ['evidence', 'accept'] as const;
export type DisputeResponseKind = (typeof DISPUTE_RESPONSES)[number];

/** Why, in the words of card schemes' reason codes as PSPs group them. */
export const DISPUTE_REASONS = [
  'fraudulent',
  'product_not_received',
  'product_unacceptable',
  'duplicate',
  'credit_not_processed',
  'subscription_canceled',
  'unrecognized',
  'general',
] as const;

const EVIDENCE_FIELD_MAX = 5_000;
const EVIDENCE_FIELDS_MAX = 20;

export const acquirerDisputeIdSchema = z.string().regex(/^[a-z0-9-]{1,40}-dispute_[0-9a-f-]{36}$/);

/** A dispute as it stands, or stood at a position of the feed. */
export const acquirerDisputeSchema = z
  .object({
    disputeId: z.string().min(1).max(100),
    paymentId: z.string(),
    authorizationId: z.string(),
    amount: amountSchema,
    currency: currencySchema,
    reason: z.string().min(1).max(64),
    status: z.enum(DISPUTE_STATUSES),
    evidenceDueBy: timeSchema.meta({ description: 'Without a response until then it is EXPIRED.' }),
    response: z.enum(DISPUTE_RESPONSES).nullable().meta({ description: 'What was answered to it, once.' }),
    responseReference: z.string().nullable().meta({ description: 'Under which of our references it was answered.' }),
    createdAt: timeSchema,
    updatedAt: timeSchema,
  })
  .meta({ id: 'AcquirerDispute' });
export type AcquirerDispute = z.infer<typeof acquirerDisputeSchema>;

/** GET /acquirers/{acquirer}/disputes?after=: how disputes changed, in order; each as it stood then. */
export const listAcquirerDisputesQuerySchema = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(1_000).default(200),
  paymentId: z.string().min(1).max(64).optional(),
});
export const acquirerDisputeChangesSchema = z
  .object({ data: z.array(acquirerDisputeSchema.extend({ position: z.int() })), nextPosition: z.int() })
  .meta({ id: 'AcquirerDisputeChanges' });
export type AcquirerDisputeChanges = z.infer<typeof acquirerDisputeChangesSchema>;

/**
 * POST /acquirers/{acquirer}/disputes/{disputeId}/evidence. `reference` (our dp_ id) is the idempotency key. Answered with the
 * dispute as it stands: too late, or answered before, changes nothing and is seen in `status` and `responseReference`.
 */
export const acquirerDisputeEvidenceSchema = z.strictObject({
  reference: idSchema('dp'),
  evidence: z
    .record(z.string().min(1).max(64), z.string().max(EVIDENCE_FIELD_MAX))
    .refine((evidence) => Object.keys(evidence).length <= EVIDENCE_FIELDS_MAX, `at most ${EVIDENCE_FIELDS_MAX} fields`),
});
export type AcquirerDisputeEvidence = z.infer<typeof acquirerDisputeEvidenceSchema>;

/** POST /acquirers/{acquirer}/disputes/{disputeId}/accept: we do not contest it. */
export const acquirerDisputeAcceptSchema = z.strictObject({ reference: idSchema('dp') });

/** The webhook about a dispute, signed like that about an operation. */
export const acquirerDisputeWebhookSchema = z
  .object({ type: z.literal('dispute.updated'), createdAt: timeSchema, data: acquirerDisputeSchema })
  .meta({ id: 'AcquirerDisputeWebhook' });
export type AcquirerDisputeWebhook = z.infer<typeof acquirerDisputeWebhookSchema>;

/** A line of the acquirer's book: what a dispute took back, or gave back. Append-only. */
export const acquirerChargebackSchema = z
  .object({
    position: z.int(),
    disputeId: z.string(),
    kind: z.enum(['CHARGEBACK', 'CHARGEBACK_REVERSAL']),
    paymentId: z.string(),
    merchantId: z.string(),
    amount: minorSchema,
    currency: z.string(),
    createdAt: timeSchema,
  })
  .meta({ id: 'AcquirerChargeback' });
export type AcquirerChargeback = z.infer<typeof acquirerChargebackSchema>;

/** GET /acquirers/{acquirer}/chargebacks: newest first. */
export const listAcquirerChargebacksQuerySchema = z.strictObject({
  paymentId: z.string().min(1).max(64).optional(),
  before: z.coerce.number().int().min(0).optional(),
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export const acquirerChargebacksSchema = z
  .object({ data: z.array(acquirerChargebackSchema) })
  .meta({ id: 'AcquirerChargebacks' });

const DEADLINE_SECONDS_MAX = 120 * 86_400;

/** POST /acquirers/{acquirer}/disputes: the payer disputes a payment. Demo mode only. */
export const raiseAcquirerDisputeSchema = z
  .strictObject({
    authorizationId: z.string().min(1).max(100).optional(),
    paymentId: z.string().min(1).max(64).optional().meta({ description: 'Our reference of the payment.' }),
    amount: amountSchema.optional().meta({ description: 'Without it: all that was captured and is left.' }),
    reason: z.enum(DISPUTE_REASONS).default('fraudulent'),
    evidenceDueInSeconds: z.int().min(1).max(DEADLINE_SECONDS_MAX).optional(),
  })
  .refine((body) => (body.authorizationId === undefined) !== (body.paymentId === undefined), {
    message: 'name either the authorization or the payment',
  });
export type RaiseAcquirerDispute = z.infer<typeof raiseAcquirerDisputeSchema>;

/** POST /acquirers/{acquirer}/disputes/{disputeId}/decision: how an open dispute ends. Demo mode only. */
export const decideAcquirerDisputeSchema = z.strictObject({ outcome: z.enum(['WON', 'LOST', 'EXPIRED']) });
