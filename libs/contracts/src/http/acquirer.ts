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
import { cardSchema } from './tokens.js';

/**
 * What PayFlow asks of a card acquirer, and how `acquirer-sim` answers. Every request carries our `reference`, which is
 * the idempotency key there: the same reference is answered with the first result, for ever.
 */
export const acquirerReferenceSchema = z.string().regex(/^(att|cap|vod|ref)_[0-9a-z]{26}$/);

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
});
export type AcquirerAuthorizationRequest = z.infer<typeof acquirerAuthorizationRequestSchema>;

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

/** An operation in the acquirer's book. `declined` is the issuer's or acquirer's no; `declineCode` says why. */
export const acquirerOperationSchema = z
  .object({
    reference: z.string(),
    operation: z.enum(['authorize', 'capture', 'void', 'refund']),
    outcome: z.enum(['approved', 'declined', 'pending']),
    authorizationId: z.string().nullable(),
    amount: minorSchema,
    currency: z.string(),
    declineCode: z.string().optional(),
    adviceCode: z.enum(['do_not_try_again', 'try_again_later', 'confirm_card_data']).optional(),
    message: z.string(),
    createdAt: timeSchema,
  })
  .meta({ id: 'AcquirerOperation' });
export type AcquirerOperation = z.infer<typeof acquirerOperationSchema>;

/** A line of the acquirer's book: the operation with the parties and the masked card. */
export const bookLineSchema = acquirerOperationSchema
  .extend({
    paymentId: z.string(),
    merchantId: z.string(),
    cardBin: z.string(),
    cardLast4: z.string(),
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
        outcome: z.string(),
        declineCode: z.string().nullable(),
        adviceCode: z.string().nullable(),
        description: z.string(),
      }),
    ),
  })
  .meta({ id: 'TestCards' });
