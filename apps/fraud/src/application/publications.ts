import { FRAUD_EVENTS } from '@payflow/contracts';
import type { OutgoingEvent } from '@payflow/messaging';

import type { DecisionRow } from '../store/decisions.js';
import type { ReviewEnd, ReviewRow } from '../store/reviews.js';

/** What the rules said of a payment. Nobody is told of what is no payment: whoever asked has the answer. */
export const judgedEvents = (row: DecisionRow): readonly OutgoingEvent[] => {
  const { subject, subjectId, merchantId, userId, amount, currency } = row.request;
  if (subject !== 'payment' || merchantId === null) return [];
  const { outcome, score, reasons, reviewId } = row;
  const payload = {
    decisionId: row.id,
    paymentId: subjectId,
    merchantId,
    userId,
    amount,
    currency,
    outcome,
    score,
    reasons,
    rulesVersion: Number(row.rulesVersion),
    reviewId,
  };
  const common = { aggregateId: row.id, merchantId, key: merchantId, occurredAt: row.decidedAt };
  return [
    { ...common, definition: FRAUD_EVENTS.decided, payload: { ...payload, stage: 'rules', decidedBy: 'rules' } },
    ...(outcome === 'ALLOW' ? [] : [{ ...common, definition: FRAUD_EVENTS.flagged, payload }]),
  ];
};

/** What people, or the deadline, said. */
export const reviewedEvent = (review: ReviewRow, { status, decidedAt, decidedBy }: ReviewEnd): OutgoingEvent => ({
  definition: FRAUD_EVENTS.decided,
  aggregateId: review.decisionId,
  merchantId: review.merchantId,
  key: review.merchantId,
  occurredAt: decidedAt,
  payload: {
    decisionId: review.decisionId,
    paymentId: review.paymentId,
    merchantId: review.merchantId,
    userId: review.userId,
    amount: Number(review.amountMinor),
    currency: review.currency,
    outcome: status === 'APPROVED' ? 'ALLOW' : 'BLOCK',
    score: review.score,
    reasons: review.reasons,
    rulesVersion: Number(review.rulesVersion),
    stage: 'review',
    reviewId: review.id,
    decidedBy,
  },
});
