import { accept, type Decision, refuse } from '@payflow/kernel';

import type { AuthorizeAfterReview, DecideReview, JudgeAgain } from './commands.js';
import type { AuthorizationRequested, PaymentEvent, PaymentRejected } from './events.js';
import { eventsOfJudgement, rejectedByReview } from './fraud.js';
import { openReview, type Payment } from './payment.js';
import type { TimerRefusal } from './refusals.js';

type ReviewDecision = Decision<PaymentEvent, TimerRefusal>;

/** The order that a request would have given; or, where no acquirer takes such a payment any more, its end. */
const goOn = (
  payment: Payment,
  { at, attemptId, route, saleCaptureId }: AuthorizeAfterReview,
): AuthorizationRequested | PaymentRejected => {
  const [acquirer] = route;
  const { paymentMethod, amountMinor } = payment;
  if (acquirer !== undefined && paymentMethod)
    return {
      type: 'AuthorizationRequested',
      at,
      attemptId,
      acquirer,
      route,
      amountMinor,
      paymentMethod,
      saleCaptureId,
    };
  return {
    type: 'PaymentRejected',
    at,
    failure: {
      code: 'payment_not_routable',
      declineCode: null,
      adviceCode: 'try_again_later',
      message: 'The payment was approved, but no acquirer takes it by now. None was asked.',
    },
  };
};

/**
 * People, or the deadline, have decided: the authorization goes on where it stopped, or the payment fails. Of two who
 * decide, and of one who decides while the merchant cancels, the first counts.
 */
export const decideReview = (payment: Payment, command: DecideReview): ReviewDecision => {
  const { at, reviewId, outcome, decidedBy } = command;
  const review = openReview(payment);
  // Fraud may have answered too late, and put the payment before people all the same: theirs is the word.
  if (!review || (review.reviewId !== null && review.reviewId !== reviewId)) return refuse({ code: 'nothing_due' });
  const closed = { type: 'ReviewClosed', at, reviewId, outcome, decidedBy } as const;
  return outcome === 'ALLOW'
    ? accept<PaymentEvent>(closed, goOn(payment, command))
    : accept<PaymentEvent>(closed, rejectedByReview(at));
};

/** Fraud is back: what nobody could judge is judged, and may still need people. */
export const judgeAgain = (payment: Payment, command: JudgeAgain): ReviewDecision => {
  const { at, judgement } = command;
  const review = openReview(payment);
  const { paymentMethod } = payment;
  if (!review || review.reviewId !== null || !paymentMethod) return refuse({ code: 'nothing_due' });
  const [decided, ...following] = eventsOfJudgement(judgement, { at, paymentMethod, sale: review.sale });
  if (judgement.outcome === 'REVIEW') return accept<PaymentEvent>(decided, ...following);
  const { outcome } = judgement;
  const closed = { type: 'ReviewClosed', at, reviewId: null, outcome, decidedBy: 'rules' } as const;
  return outcome === 'ALLOW'
    ? accept<PaymentEvent>(decided, closed, goOn(payment, command))
    : accept<PaymentEvent>(decided, closed, ...following);
};
