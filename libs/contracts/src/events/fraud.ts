import { z } from 'zod';

import { amountSchema, currencySchema } from '../http/shared-fields.js';
import { FRAUD_OUTCOMES, fraudReasonSchema } from '../http/fraud-decision.js';
import type { EventDefinition } from './envelope.js';

const subject = {
  decisionId: z.string(),
  paymentId: z.string(),
  merchantId: z.string(),
  userId: z.string().nullable(),
  amount: amountSchema,
  currency: currencySchema,
  outcome: z.enum(FRAUD_OUTCOMES),
  score: z.int().min(0).max(100),
  reasons: z.array(fraudReasonSchema),
  rulesVersion: z.int(),
};

/** Events of a fraud decision. The aggregate is the decision: first what the rules said, then what people said. */
export const FRAUD_EVENTS = {
  decided: {
    topic: 'fraud.decided',
    type: 'fraud.decided.v1',
    summary:
      'A payment was judged: by the rules, or, after a review, by people or by the deadline (then never REVIEW).',
    payload: z.object({
      ...subject,
      stage: z.enum(['rules', 'review']),
      reviewId: z.string().nullable(),
      decidedBy: z.string().meta({ description: '`rules`, `deadline`, or who decided: `usr_…`.' }),
    }),
  },
  flagged: {
    topic: 'fraud.flagged',
    type: 'fraud.flagged.v1',
    summary: 'The rules would not simply let a payment pass: it was blocked or is under review.',
    payload: z.object({ ...subject, reviewId: z.string().nullable() }),
  },
} as const satisfies Readonly<Record<string, EventDefinition>>;
