import { z } from 'zod';

import { FRAUD_OUTCOMES, fraudReasonSchema } from './fraud-decision.js';
import { idSchema, minorSchema, pageOf, pageQueryFields, textSchema, timeSchema } from './shared-fields.js';

/** What a decision was made from, as it stood then; the payment itself is counted. */
const velocitySeenSchema = z
  .object({
    by: z.string(),
    window: z.int(),
    attempts: z.int().optional(),
    declines: z.int().optional(),
    distinctCards: z.int().optional(),
    amount: minorSchema.optional().meta({ description: 'In the currency of the payment.' }),
  })
  .meta({ description: 'What no rule asked for was not counted, and is absent.' });

export const fraudDecisionDetailSchema = z
  .object({
    decisionId: z.string(),
    subject: z.string(),
    subjectId: z.string(),
    merchantId: z.string().nullable(),
    userId: z.string().nullable(),
    amount: z.int(),
    currency: z.string(),
    outcome: z.enum(FRAUD_OUTCOMES).meta({ description: 'What the rules said. A review says the rest.' }),
    score: z.int().min(0).max(100),
    reasons: z.array(fraudReasonSchema),
    shadow: z.array(fraudReasonSchema).meta({ description: 'What shadow rules would have said.' }),
    rulesVersion: z.int(),
    features: z.object({ velocities: z.array(velocitySeenSchema), lists: z.array(z.string()) }),
    method: z.object({
      type: z.string(),
      brand: z.string().nullable(),
      bin: z.string().nullable(),
      last4: z.string().nullable(),
      fingerprint: z.string().nullable(),
      country: z.string().nullable(),
      walletId: z.string().nullable(),
    }),
    ip: z.string().nullable(),
    ipCountry: z.string().nullable(),
    email: z
      .string()
      .nullable()
      .meta({ description: 'Of the payer, only hinted at.', examples: ['a***@example.com'] }),
    reviewId: z.string().nullable(),
    at: timeSchema,
    decidedAt: timeSchema,
  })
  .meta({ id: 'FraudDecisionDetail' });
export type FraudDecisionDetail = z.infer<typeof fraudDecisionDetailSchema>;

/** GET /fraud/decisions: newest first. */
export const listFraudDecisionsQuerySchema = z.strictObject({
  ...pageQueryFields,
  paymentId: idSchema('pay').optional(),
  merchantId: idSchema('mer').optional(),
  outcome: z.enum(FRAUD_OUTCOMES).optional(),
});
export type ListFraudDecisionsQuery = z.infer<typeof listFraudDecisionsQuerySchema>;
export const fraudDecisionPageSchema = pageOf(fraudDecisionDetailSchema).meta({ id: 'FraudDecisionPage' });

export const FRAUD_REVIEW_STATUSES = ['PENDING', 'APPROVED', 'REJECTED'] as const;
export type FraudReviewStatus = (typeof FRAUD_REVIEW_STATUSES)[number];

export const fraudReviewSchema = z
  .object({
    reviewId: z.string(),
    decisionId: z.string(),
    paymentId: z.string(),
    merchantId: z.string(),
    userId: z.string().nullable(),
    amount: z.int(),
    currency: z.string(),
    score: z.int(),
    reasons: z.array(fraudReasonSchema),
    status: z.enum(FRAUD_REVIEW_STATUSES),
    decideBy: timeSchema.meta({ description: 'Rejected when nobody has decided until then.' }),
    createdAt: timeSchema,
    decidedAt: timeSchema.nullable(),
    decidedBy: z.string().nullable().meta({ description: 'Who, or `deadline`.' }),
    reason: z.string().nullable(),
  })
  .meta({ id: 'FraudReview' });
export type FraudReviewView = z.infer<typeof fraudReviewSchema>;

/** GET /fraud/reviews: newest first. */
export const listFraudReviewsQuerySchema = z.strictObject({
  ...pageQueryFields,
  status: z.enum(FRAUD_REVIEW_STATUSES).optional(),
  merchantId: idSchema('mer').optional(),
  paymentId: idSchema('pay').optional(),
});
export type ListFraudReviewsQuery = z.infer<typeof listFraudReviewsQuerySchema>;
export const fraudReviewPageSchema = pageOf(fraudReviewSchema).meta({ id: 'FraudReviewPage' });

/** POST /fraud/reviews/{id}/approve and /reject */
export const decideFraudReviewSchema = z
  .strictObject({ reason: textSchema(500).meta({ description: 'Why, for those who look at it later.' }) })
  .meta({ id: 'DecideFraudReview' });
export type DecideFraudReviewRequest = z.infer<typeof decideFraudReviewSchema>;
