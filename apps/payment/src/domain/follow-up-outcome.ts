import { accept, type FeeTerms, feeOnCapture, unreachable } from '@payflow/kernel';

import type { AcquirerOutcome, RecordOutcome } from './commands.js';
import type { PaymentEvent } from './events.js';
import { deferred, failureOf, type OutcomeDecision } from './outcome.js';
import {
  authorizedMinor,
  capturableMinor,
  type CaptureOperation,
  capturedMinor,
  type Failure,
  openAttempt,
  openOperations,
  openVoidsOfHold,
  type Payment,
  type RefundOperation,
  unrefundedMinor,
  type VoidOperation,
} from './payment.js';

/**
 * A capture, void or refund has no payer to wait for and no part of it to take: what only an authorization can be
 * answered with is not understood.
 */
const answerToFollowUp = (
  outcome: AcquirerOutcome,
): Extract<AcquirerOutcome, { kind: 'approved' | 'declined' | 'unanswered' }> => {
  const known = deferred(outcome);
  return known.kind === 'partially_approved' || known.kind === 'action_required'
    ? { kind: 'unanswered', reason: 'unintelligible_answer' }
    : known;
};

const captured = (
  payment: Payment,
  operation: CaptureOperation,
  command: { readonly at: Date; readonly feeTerms: FeeTerms; readonly acquirerReference: string },
): OutcomeDecision => {
  const before = capturedMinor(payment);
  const heldMinor = authorizedMinor(payment) - before;
  const final = operation.final || operation.amountMinor === heldMinor;
  return accept({
    type: 'PaymentCaptured',
    at: command.at,
    captureId: operation.id,
    amountMinor: operation.amountMinor,
    feeMinor: feeOnCapture(before, operation.amountMinor, command.feeTerms),
    releasedMinor: final ? heldMinor : operation.amountMinor,
    final,
    acquirerReference: command.acquirerReference,
  });
};

/** The acquirer's word on a capture that is open. */
export const captureOutcome = (
  payment: Payment,
  operation: CaptureOperation,
  command: RecordOutcome,
): OutcomeDecision => {
  const { at, feeTerms } = command;
  const captureId = operation.id;
  const outcome = answerToFollowUp(command.outcome);
  switch (outcome.kind) {
    case 'approved':
      return captured(payment, operation, { at, feeTerms, acquirerReference: outcome.acquirerReference });
    case 'declined':
      return accept({ type: 'CaptureDeclined', at, captureId, failure: failureOf(outcome) });
    case 'unanswered':
      return operation.state === 'unanswered'
        ? accept()
        : accept({ type: 'CaptureUnanswered', at, captureId, reason: outcome.reason });
    default:
      return unreachable(outcome);
  }
};

/** The payment has ended with the attempt, or with what it held. */
const ended = (payment: Payment, operation: VoidOperation, at: Date): readonly PaymentEvent[] => {
  const { id: voidId, reason, cause } = operation;
  const attempt = openAttempt(payment);
  if (cause === 'timeout' && attempt) {
    const failure: Failure = {
      code: 'authorization_timed_out',
      declineCode: null,
      adviceCode: 'try_again_later',
      message: 'The acquirer did not say yes in time. It confirmed that nothing is reserved.',
    };
    return [
      { type: 'AuthorizationDeclined', at, attemptId: attempt.id, failure, reached: false },
      { type: 'PaymentFailed', at, attemptId: attempt.id, failure },
    ];
  }
  const releasedMinor = authorizedMinor(payment) - capturedMinor(payment);
  return cause === 'expiry'
    ? [{ type: 'PaymentExpired', at, voidId, releasedMinor }]
    : [{ type: 'PaymentCanceled', at, voidId, releasedMinor, reason, metadata: {} }];
};

/** Whether the void takes what the payment holds. */
const takesHold = ({ authorization }: Payment, { reverses }: VoidOperation): boolean =>
  reverses === null || authorization?.attemptId === reverses;

/** An attempt that ended by itself in the meantime leaves nothing to end: another may be in its place by now. */
const endsPayment = (payment: Payment, operation: VoidOperation): boolean => {
  const { cause, reverses } = operation;
  if (cause === 'unwanted_approval' || payment.failed || payment.closed) return false;
  return takesHold(payment, operation) || openAttempt(payment)?.id === reverses;
};

const voided = (payment: Payment, operation: VoidOperation, at: Date): OutcomeDecision => {
  const { id: voidId, reverses } = operation;
  if (reverses === null) return accept(...ended(payment, operation, at));
  const reversed: PaymentEvent = { type: 'AttemptReversed', at, voidId, attemptId: reverses };
  return accept(reversed, ...(endsPayment(payment, operation) ? ended(payment, operation, at) : []));
};

/** The acquirer's word on a void or a reversal that is open. */
export const voidOutcome = (payment: Payment, operation: VoidOperation, command: RecordOutcome): OutcomeDecision => {
  const { at } = command;
  const { id: voidId } = operation;
  const outcome = answerToFollowUp(command.outcome);
  switch (outcome.kind) {
    case 'approved':
      return voided(payment, operation, at);
    case 'declined':
      return accept({ type: 'VoidDeclined', at, voidId, failure: failureOf(outcome) });
    case 'unanswered':
      return operation.state === 'unanswered'
        ? accept()
        : accept({ type: 'VoidUnanswered', at, voidId, reason: outcome.reason });
    default:
      return unreachable(outcome);
  }
};

/** The acquirer's word on a refund that is open. */
export const refundOutcome = (operation: RefundOperation, command: RecordOutcome): OutcomeDecision => {
  const { at } = command;
  const { id: refundId, amountMinor } = operation;
  const outcome = answerToFollowUp(command.outcome);
  switch (outcome.kind) {
    case 'approved': {
      const { acquirerReference } = outcome;
      return accept({ type: 'RefundSucceeded', at, refundId, amountMinor, acquirerReference });
    }
    case 'declined':
      return accept({
        type: 'RefundFailed',
        at,
        refundId,
        amountMinor,
        failure: failureOf(outcome),
        hadSucceeded: false,
      });
    case 'unanswered':
      return operation.state === 'unanswered'
        ? accept()
        : accept({ type: 'RefundUnanswered', at, refundId, reason: outcome.reason });
    default:
      return unreachable(outcome);
  }
};

/** Nothing is on its way that takes from the hold, or ends it. */
const holdIsAtRest = (payment: Payment): boolean =>
  !payment.closed && openOperations(payment, 'capture').length === 0 && openVoidsOfHold(payment).length === 0;

/**
 * An approval of a capture, void or refund after its refusal.
 *
 * @returns undefined where the payment has no room for it any more: that is for people
 */
export const lateApproval = (
  payment: Payment,
  operation: CaptureOperation | VoidOperation | RefundOperation,
  { at, feeTerms }: RecordOutcome,
  { acquirerReference }: Extract<AcquirerOutcome, { kind: 'approved' }>,
): OutcomeDecision | undefined => {
  const { amountMinor } = operation;
  switch (operation.kind) {
    case 'capture':
      return holdIsAtRest(payment) && amountMinor <= capturableMinor(payment)
        ? captured(payment, operation, { at, feeTerms, acquirerReference })
        : undefined;
    case 'void':
      return takesHold(payment, operation) && !holdIsAtRest(payment) ? undefined : voided(payment, operation, at);
    case 'refund': {
      // It had succeeded before it failed: then this is an old word that comes late.
      if (operation.acquirerReference !== null) return accept();
      const refundId = operation.id;
      return amountMinor <= unrefundedMinor(payment)
        ? accept({ type: 'RefundSucceeded', at, refundId, amountMinor, acquirerReference })
        : undefined;
    }
    default:
      return unreachable(operation);
  }
};
