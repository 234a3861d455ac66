import { z } from 'zod';

import { amountSchema, currencySchema, minorSchema, timeSchema } from './shared-fields.js';
import { cardSchema } from './tokens.js';

/**
 * What PayFlow asks of a card acquirer, and how `acquirer-sim` answers. Every request carries our `reference`, which is
 * the idempotency key there: the same reference is answered with the first result, for ever.
 */
const referenceSchema = z.string().regex(/^(att|cap|vod|ref)_[0-9a-z]{26}$/);

/** POST /acquirers/{acquirer}/authorizations */
export const acquirerAuthorizationRequestSchema = z.strictObject({
  reference: referenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  card: cardSchema,
  merchantId: z.string(),
  paymentId: z.string(),
  statementDescriptor: z.string().optional(),
});
export type AcquirerAuthorizationRequest = z.infer<typeof acquirerAuthorizationRequestSchema>;

/** POST /acquirers/{acquirer}/authorizations/{authorizationId}/captures | refunds */
export const acquirerAmountRequestSchema = z.strictObject({
  reference: referenceSchema,
  amount: amountSchema,
  currency: currencySchema,
  final: z.boolean().optional(),
});
/** POST /acquirers/{acquirer}/authorizations/{authorizationId}/voids */
export const acquirerVoidRequestSchema = z.strictObject({ reference: referenceSchema });

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

/** GET /test-cards */
export const testCardsSchema = z
  .object({
    data: z.array(
      z.object({
        number: z.string(),
        brand: z.string(),
        outcome: z.string(),
        declineCode: z.string().nullable(),
        description: z.string(),
      }),
    ),
  })
  .meta({ id: 'TestCards' });
