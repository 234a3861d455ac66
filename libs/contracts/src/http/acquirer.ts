import { z } from 'zod';

import {
  amountSchema,
  currencySchema,
  minorSchema,
  pageOf,
  pageQueryFields,
  textSchema,
  timeSchema,
} from './shared-fields.js';
import { CARD_BEHAVIOURS } from '../test-cards.js';
import { acquirerDisputeIdSchema } from './acquirer-disputes.js';
import { cardSchema } from './tokens.js';

/**
 * What PayFlow asks of an acquirer, and how `acquirer-sim` answers. Every request carries our `reference`, which is the
 * idempotency key there: the same reference is answered with its result, for ever. An operation that is not decided at
 * once (`pending`, `action_required`) is answered as it stands now; its end comes by webhook or by inquiry.
 */
export const acquirerReferenceSchema = z.string().regex(/^(att|cap|vod|ref)_[0-9a-z]{26}$/);

/** Where Stripe answers: the one acquirer besides that needs no address in the settings. */
export const STRIPE_API = 'https://api.stripe.com';

/** POST /acquirers/{acquirer}/authorizations */
export const acquirerAuthorizationRequestSchema = z.strictObject({
  reference: acquirerReferenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  card: cardSchema,
  merchantId: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w-]+$/),
  paymentId: z
    .string()
    .min(1)
    .max(64)
    .regex(/^[\w-]+$/),
  statementDescriptor: textSchema(100).optional(),
  returnUrl: z
    .url({ protocol: /^https?$/ })
    .max(2000)
    .optional()
    .meta({
      description: 'Where the payer comes back to after a challenge.',
    }),
});
export type AcquirerAuthorizationRequest = z.infer<typeof acquirerAuthorizationRequestSchema>;

/**
 * POST /acquirers/{acquirer}/redirects: an authorization that the payer gives at his bank, not with a card. The answer is
 * `action_required` with the bank's page. What follows (captures, voids, refunds) is as for a card.
 */
export const acquirerRedirectRequestSchema = acquirerAuthorizationRequestSchema
  .omit({ card: true })
  .extend({ bank: z.string().min(1).max(64).optional() });
export type AcquirerRedirectRequest = z.infer<typeof acquirerRedirectRequestSchema>;

/**
 * POST /acquirers/{acquirer}/reversals: undoes the authorization of that reference, whether or not the acquirer has seen
 * it (ISO 8583's reversal). Approved: nothing is held under the reference now, and nothing will be: a request that
 * arrives later is declined as `reversed`. Declined: something was captured from it.
 */
export const acquirerReversalRequestSchema = z.strictObject({
  reference: acquirerReferenceSchema,
  originalReference: acquirerReferenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  merchantId: acquirerAuthorizationRequestSchema.shape.merchantId,
  paymentId: acquirerAuthorizationRequestSchema.shape.paymentId,
});
export type AcquirerReversalRequest = z.infer<typeof acquirerReversalRequestSchema>;

/**
 * POST /acquirers/{acquirer}/authorizations/{authorizationId}/captures | refunds. `final: true` on a capture releases what
 * is left of the authorization; without it more captures may follow.
 */
export const acquirerAmountRequestSchema = z.strictObject({
  reference: acquirerReferenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  final: z.boolean().optional(),
});
/** POST /acquirers/{acquirer}/authorizations/{authorizationId}/voids */
export const acquirerVoidRequestSchema = z.strictObject({ reference: acquirerReferenceSchema });

/**
 * An operation in the acquirer's book. `declined` is the issuer's or acquirer's no; `declineCode` says why. A reversal is
 * a `void`. A refund that was approved may be declined later.
 */
export const acquirerOperationSchema = z
  .object({
    reference: z.string(),
    operation: z.enum(['authorize', 'capture', 'void', 'refund']),
    outcome: z.enum(['approved', 'declined', 'pending', 'action_required']),
    authorizationId: z.string().nullable(),
    amount: minorSchema.meta({ description: 'Less than asked for is a partial approval.' }),
    technical: z.boolean().optional().meta({
      description: 'Of a decline: the acquirer could not process it and holds nothing; another acquirer may be tried.',
    }),
    action: z
      .object({ type: z.literal('redirect'), url: z.url(), expiresAt: timeSchema })
      .optional()
      .meta({ description: 'Of `action_required`: where the payer goes, and until when.' }),
    currency: z.string(),
    declineCode: z.string().optional(),
    adviceCode: z.enum(['do_not_try_again', 'try_again_later', 'confirm_card_data']).optional(),
    message: z.string(),
    createdAt: timeSchema,
  })
  .meta({ id: 'AcquirerOperation' });
export type AcquirerOperation = z.infer<typeof acquirerOperationSchema>;

/**
 * POST to the webhook address: the operation as it stands now. Signed by Standard Webhooks: headers `webhook-id`,
 * `webhook-timestamp` (seconds), `webhook-signature` (`v1,` + base64 HMAC-SHA256 of `{id}.{timestamp}.{body}`).
 */
export const acquirerWebhookSchema = z
  .object({ type: z.literal('operation.updated'), createdAt: timeSchema, data: acquirerOperationSchema })
  .meta({ id: 'AcquirerWebhook' });
export type AcquirerWebhook = z.infer<typeof acquirerWebhookSchema>;

/** How the simulator treats the operations that come next. `normal` is by the card alone. */
export const ACQUIRER_MODES = [
  'normal',
  'slow',
  'timeout_after_effect',
  'timeout_without_effect',
  'error_before_effect',
  'error_after_effect',
  'unavailable',
  'declined',
  'technical_decline',
  'pending_then_approved',
  'pending_then_declined',
  'late_success',
  'partial_approval',
  'challenge',
  'duplicate_webhooks',
  'reordered_webhooks',
] as const;
export type AcquirerMode = (typeof ACQUIRER_MODES)[number];

/** POST /acquirers/{acquirer}/mode. The narrowest filter wins; without `times` it holds until it is set again. */
export const setAcquirerModeSchema = z.strictObject({
  mode: z.enum(ACQUIRER_MODES),
  times: z.int().min(1).max(100_000).optional().meta({ description: 'For how many operations; then normal.' }),
  operation: z.enum(['authorize', 'capture', 'void', 'refund', 'dispute', 'inquiry']).optional().meta({
    description:
      'A reversal is a `void`, `dispute` a response to one. Without it: each but inquiries and disputes; `slow` and `unavailable` are of those too.',
  }),
  paymentId: acquirerAuthorizationRequestSchema.shape.paymentId.optional(),
  latencyMs: z.int().min(0).max(120_000).optional().meta({ description: 'Of `slow`, and how late a late answer is.' }),
});
export type SetAcquirerMode = z.infer<typeof setAcquirerModeSchema>;

/** What was set and still holds. */
export const acquirerModesSchema = z
  .object({ data: z.array(setAcquirerModeSchema.extend({ createdAt: timeSchema })) })
  .meta({ id: 'AcquirerModes' });

/** POST /acquirers/{acquirer}/webhooks/replay: sends webhooks of the past again, with their ids. */
export const replayWebhooksSchema = z.strictObject({
  reference: z
    .union([acquirerReferenceSchema, acquirerDisputeIdSchema])
    .optional()
    .meta({ description: 'Of this operation, or dispute, only.' }),
  all: z.literal(true).optional().meta({ description: 'Of all operations.' }),
  times: z.int().min(1).max(100).default(1),
  shuffle: z.boolean().default(false).meta({ description: 'In any order; else as they came.' }),
  timestampOffsetSeconds: z.int().min(-31_536_000).max(31_536_000).default(0).meta({
    description: 'Added to the time in the signature: -86400 is a day late.',
  }),
  badSignature: z.boolean().default(false),
});
export const replayedWebhooksSchema = z.object({ queued: z.int() }).meta({ id: 'AcquirerReplayedWebhooks' });

/** A line of the acquirer's book: the operation with the parties and the masked card. */
export const bookLineSchema = acquirerOperationSchema
  .extend({
    paymentId: z.string(),
    merchantId: z.string(),
    cardBin: z.string().nullable().meta({ description: 'Null where the payer paid at his bank.' }),
    cardLast4: z.string().nullable(),
  })
  .meta({ id: 'AcquirerBookLine' });
export type BookLine = z.infer<typeof bookLineSchema>;

/** GET /acquirers/{acquirer}/operations */
export const listBookQuerySchema = z.strictObject({
  ...pageQueryFields,
  paymentId: z.string().min(1).max(64).optional(),
  merchantId: z.string().min(1).max(64).optional(),
  reference: acquirerReferenceSchema.optional(),
});
export const bookPageSchema = pageOf(bookLineSchema).meta({ id: 'AcquirerBookPage' });

/** GET /test-cards */
export const testCardsSchema = z
  .object({
    data: z.array(
      z.object({
        number: z.string(),
        brand: z.string(),
        behaviour: z.enum(CARD_BEHAVIOURS),
        outcome: z.enum(['approved', 'declined']).meta({ description: 'How an authorization ends.' }),
        declineCode: z.string().nullable(),
        adviceCode: z.string().nullable(),
        description: z.string(),
      }),
    ),
  })
  .meta({ id: 'TestCards' });
