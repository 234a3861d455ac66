import { accept, unreachable } from '@payflow/kernel';

import type { AcquirerOutcome, RecordOutcome } from './commands.js';
import type { PaymentEvent } from './events.js';
import { deferred, type Declined, failureOf, type NotSent, type OutcomeDecision } from './outcome.js';
import { type AuthorizeOperation, type Failure, openVoidsOfHold, type Payment } from './payment.js';

/** A sale's capture is not ordered while somebody is giving the attempt back. */
const isGivenBack = (payment: Payment, attempt: AuthorizeOperation): boolean =>
  openVoidsOfHold(payment).some((operation) => operation.kind === 'void' && operation.reverses === attempt.id);

const reversalOf = (attempt: AuthorizeOperation, amountMinor: bigint, { at, reversalId }: RecordOutcome) =>
  ({
    type: 'VoidRequested',
    at,
    voidId: reversalId,
    cause: 'unwanted_approval',
    reverses: attempt.id,
    amountMinor,
    reason: null,
    metadata: {},
  }) as const;

/** An approval after the attempt has ended is not taken back into the payment: it is recorded, and reversed. Once. */
export const lateSuccess = (attempt: AuthorizeOperation, command: RecordOutcome): OutcomeDecision => {
  const { at, outcome } = command;
  if (attempt.unwanted || (outcome.kind !== 'approved' && outcome.kind !== 'partially_approved')) return accept();
  const { acquirerReference } = outcome;
  const amountMinor = outcome.kind === 'approved' ? attempt.amountMinor : outcome.amountMinor;
  return accept<PaymentEvent>(
    { type: 'ApprovalUnwanted', at, attemptId: attempt.id, cause: 'late_success', acquirerReference, amountMinor },
    reversalOf(attempt, amountMinor, command),
  );
};

/** A payer who has waited this long does not expect to be charged any more, wherever. */
const ELSEWHERE_WITHIN_MS = 15 * 60_000;

/** Another acquirer is tried only when this one certainly holds nothing: it was not reached, or says that it could not. */
const nextAcquirer = (
  payment: Payment,
  attempt: AuthorizeOperation,
  outcome: Declined | NotSent,
  at: Date,
): string | undefined => {
  if (outcome.kind === 'declined' && !outcome.technical) return undefined;
  const begunAt = payment.operations[0]?.startedAt ?? attempt.startedAt;
  if (at.getTime() - begunAt.getTime() > ELSEWHERE_WITHIN_MS) return undefined;
  return attempt.route[attempt.route.indexOf(attempt.acquirer) + 1];
};

const refusedAttempt = (
  payment: Payment,
  attempt: AuthorizeOperation,
  outcome: Declined | NotSent,
  command: RecordOutcome,
): OutcomeDecision => {
  const { at, nextAttemptId } = command;
  const { id: attemptId, amountMinor, saleCaptureId, route } = attempt;
  const failure = failureOf(outcome);
  const reached = outcome.kind === 'declined';
  const declined = { type: 'AuthorizationDeclined', at, attemptId, failure, reached } as const;
  const acquirer = isGivenBack(payment, attempt) ? undefined : nextAcquirer(payment, attempt, outcome, at);
  const { paymentMethod } = payment;
  if (acquirer === undefined || !paymentMethod)
    return accept<PaymentEvent>(declined, { type: 'PaymentFailed', at, attemptId, failure });
  return accept<PaymentEvent>(declined, {
    type: 'AuthorizationRequested',
    at,
    attemptId: nextAttemptId,
    acquirer,
    route,
    amountMinor,
    paymentMethod,
    saleCaptureId,
  });
};

const approvedAttempt = (
  payment: Payment,
  attempt: AuthorizeOperation,
  acquirerReference: string,
  command: RecordOutcome,
): OutcomeDecision => {
  const { at, expiresAt } = command;
  const { id: attemptId, amountMinor, saleCaptureId } = attempt;
  const authorized = { type: 'PaymentAuthorized', at, attemptId, amountMinor, acquirerReference, expiresAt } as const;
  return saleCaptureId === null || isGivenBack(payment, attempt)
    ? accept(authorized)
    : accept<PaymentEvent>(authorized, {
        type: 'CaptureRequested',
        at,
        captureId: saleCaptureId,
        amountMinor,
        final: true,
        metadata: {},
      });
};

const partlyApprovedAttempt = (
  attempt: AuthorizeOperation,
  outcome: Extract<AcquirerOutcome, { kind: 'partially_approved' }>,
  command: RecordOutcome,
): OutcomeDecision => {
  const { at } = command;
  const { id: attemptId } = attempt;
  const { acquirerReference, amountMinor } = outcome;
  const failure: Failure = {
    code: 'partial_approval',
    declineCode: null,
    adviceCode: 'try_again_later',
    message: 'The acquirer approved less than was asked for. It is given back.',
  };
  return accept<PaymentEvent>(
    { type: 'AuthorizationDeclined', at, attemptId, failure, reached: true },
    { type: 'PaymentFailed', at, attemptId, failure },
    { type: 'ApprovalUnwanted', at, attemptId, cause: 'partial_approval', acquirerReference, amountMinor },
    reversalOf(attempt, amountMinor, command),
  );
};

/** The acquirer's word on an attempt that is open. */
export const authorizationOutcome = (
  payment: Payment,
  attempt: AuthorizeOperation,
  command: RecordOutcome,
): OutcomeDecision => {
  const { at } = command;
  const sentBefore = command.perhapsSentBefore || attempt.state === 'unanswered' || attempt.state === 'action_required';
  const outcome = sentBefore ? deferred(command.outcome) : command.outcome;
  const attemptId = attempt.id;
  switch (outcome.kind) {
    case 'unanswered':
      // What is known to wait for the payer is not forgotten because one answer is missing.
      return attempt.state === 'requested'
        ? accept({ type: 'AuthorizationUnanswered', at, attemptId, reason: outcome.reason })
        : accept();
    case 'action_required':
      return attempt.state === 'action_required' || attempt.stuckAt
        ? accept()
        : accept({ type: 'ActionRequired', at, attemptId, url: outcome.url, expiresAt: outcome.expiresAt });
    case 'declined':
    case 'not_sent':
      return refusedAttempt(payment, attempt, outcome, command);
    case 'partially_approved':
      return partlyApprovedAttempt(attempt, outcome, command);
    case 'approved':
      return approvedAttempt(payment, attempt, outcome.acquirerReference, command);
    default:
      return unreachable(outcome);
  }
};
