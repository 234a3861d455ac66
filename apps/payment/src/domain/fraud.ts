import { unreachable } from '@payflow/kernel';

import type { AuthorizationRequested, FraudDecided, PaymentEvent, PaymentRejected, ReviewOpened } from './events.js';
import type { FraudPolicy, Judgement } from './judgement.js';
import type { Failure, PaymentMethod } from './payment.js';

/** A payer who was not judged within a day has gone. */
const UNJUDGED_MS_MAX = 24 * 60 * 60_000;

/** Nobody could judge the payment in time: what its merchant wants then. */
export const unjudged = ({ whenDown, amountMaxMinor }: FraudPolicy, amountMinor: bigint, at: Date): Judgement => {
  const check = { decisionId: null, score: 0, reasons: [], rulesVersion: null, policy: whenDown };
  if (whenDown === 'refuse') return { ...check, outcome: 'BLOCK' };
  return whenDown === 'allow_under' && amountMinor <= amountMaxMinor
    ? { ...check, outcome: 'ALLOW' }
    : { ...check, outcome: 'REVIEW', reviewId: null, decideBy: new Date(at.getTime() + UNJUDGED_MS_MAX) };
};

const BLOCKED: Failure = {
  code: 'fraud_blocked',
  declineCode: null,
  adviceCode: 'do_not_try_again',
  message: 'The payment was refused, because it looks fraudulent. No acquirer was asked.',
};

const UNAVAILABLE: Failure = {
  code: 'fraud_unavailable',
  declineCode: null,
  adviceCode: 'try_again_later',
  message: 'The payment could not be judged in time, and its merchant takes none then. No acquirer was asked.',
};

const REJECTED: Failure = {
  code: 'fraud_rejected',
  declineCode: null,
  adviceCode: 'do_not_try_again',
  message: 'The payment was under review and was not approved. No acquirer was asked.',
};

const rejected = (at: Date, failure: Failure): PaymentRejected => ({ type: 'PaymentRejected', at, failure });

export const rejectedByReview = (at: Date): PaymentRejected => rejected(at, REJECTED);

const decidedOf = ({ decisionId, outcome, score, reasons, rulesVersion, policy }: Judgement) => ({
  decisionId,
  outcome,
  score,
  reasons,
  rulesVersion,
  policy,
});

/** What a judgement leaves behind, without the order it may let through. */
export const eventsOfJudgement = (
  judgement: Judgement,
  { at, paymentMethod, sale }: { readonly at: Date; readonly paymentMethod: PaymentMethod; readonly sale: boolean },
): readonly [FraudDecided, ...(PaymentRejected | ReviewOpened)[]] => {
  const decided: FraudDecided = { type: 'FraudDecided', at, ...decidedOf(judgement), paymentMethod };
  switch (judgement.outcome) {
    case 'ALLOW':
      return [decided];
    case 'BLOCK':
      return [decided, rejected(at, judgement.decisionId === null ? UNAVAILABLE : BLOCKED)];
    case 'REVIEW': {
      const { reviewId, decideBy } = judgement;
      return [decided, { type: 'ReviewOpened', at, reviewId, decideBy, sale }];
    }
    default:
      return unreachable(judgement);
  }
};

/** An acquirer is asked only for what was let through. Without a judgement (no fraud service here) everything is. */
export const judgedEvents = (
  judgement: Judgement | undefined,
  requested: AuthorizationRequested,
): readonly PaymentEvent[] => {
  if (judgement === undefined) return [requested];
  const { at, paymentMethod, saleCaptureId } = requested;
  const events = eventsOfJudgement(judgement, { at, paymentMethod, sale: saleCaptureId !== null });
  return judgement.outcome === 'ALLOW' ? [...events, requested] : events;
};
