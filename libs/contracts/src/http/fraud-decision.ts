import { z } from 'zod';

import { amountSchema, currencySchema, timeSchema, withoutCardNumber } from './shared-fields.js';

/*
 * What payment (and wallet, before money leaves one) asks fraud before it goes on. The subject's id is the idempotency key:
 * the same id is answered with the decision that was made, for ever.
 */

export const FRAUD_OUTCOMES = ['ALLOW', 'REVIEW', 'BLOCK'] as const;
export type FraudOutcome = (typeof FRAUD_OUTCOMES)[number];

/** Why: a rule that spoke. */
export const fraudReasonSchema = z.object({
  ruleId: z.string(),
  name: z.string(),
  effect: z.enum([...FRAUD_OUTCOMES, 'SCORE']),
  score: z.int().meta({ description: 'What the rule added.' }),
  detail: z.string().meta({ description: 'The values that it saw.' }),
});
export type FraudReason = z.infer<typeof fraudReasonSchema>;

/** What may be stored and told: no control characters, no half characters, no card number. */
const plain = (lengthMax: number) =>
  withoutCardNumber(
    z
      .string()
      .max(lengthMax)
      .regex(/^[^\p{Cc}\p{Cs}]*$/u, 'must not contain control characters'),
  );

/** POST /internal/fraud/decisions. Never a card number: the vault's fingerprint names the card. */
export const fraudDecisionRequestSchema = z.strictObject({
  subject: z.enum(['payment', 'wallet_transfer', 'wallet_withdrawal']),
  /** `pay_…`, or `txn_…` of a wallet's transaction. */
  subjectId: z.string().regex(/^[\w-]{1,64}$/),
  merchantId: plain(64).nullable(),
  userId: plain(64).nullable(),
  amount: amountSchema,
  currency: currencySchema,
  method: z.strictObject({
    type: z.enum(['card', 'wallet', 'bank_redirect']),
    brand: plain(40).nullable(),
    bin: plain(8).nullable(),
    last4: plain(4).nullable(),
    /** Digits alone would be a card number; one that stands in a digest by chance is none. */
    fingerprint: z
      .string()
      .regex(/^(?!\d+$)[\w+/=.:-]{1,128}$/)
      .nullable(),
    /** ISO 3166-1 alpha-2 of the issuer, where it is known. */
    country: z
      .string()
      .regex(/^[A-Z]{2}$/)
      .nullable(),
    walletId: plain(64).nullable(),
  }),
  ip: plain(45).nullable(),
  /** From which the payer comes; left out where nobody in front of the gateway tells. */
  ipCountry: z
    .string()
    .regex(/^[A-Z]{2}$/)
    .optional(),
  email: plain(254).nullable(),
  at: timeSchema,
});
export type FraudDecisionRequest = z.infer<typeof fraudDecisionRequestSchema>;

export const fraudDecisionSchema = z
  .object({
    decisionId: z.string(),
    outcome: z.enum(FRAUD_OUTCOMES),
    score: z.int().min(0).max(100),
    reasons: z.array(fraudReasonSchema),
    rulesVersion: z.int(),
    /** Set with REVIEW. */
    reviewId: z.string().nullable(),
    decideBy: timeSchema.nullable(),
  })
  .meta({ id: 'FraudDecision' });
export type FraudDecision = z.infer<typeof fraudDecisionSchema>;
