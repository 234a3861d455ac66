import { accept, type Decision, type FeeTerms, feeOnCapture, refuse, unreachable } from '@payflow/kernel';

import type { AcquirerOutcome, RecordOutcome } from './commands.js';
import type { PaymentEvent } from './events.js';
import {
  authorizedMinor,
  type AuthorizeOperation,
  type CaptureOperation,
  capturedMinor,
  type Failure,
  isOpen,
  type Operation,
  operationOf,
  type Payment,
  type RefundOperation,
  type VoidOperation,
} from './payment.js';
import type { OutcomeRefusal } from './refusals.js';

type Outcome = Decision<PaymentEvent, OutcomeRefusal>;
type NotSent = Extract<AcquirerOutcome, { kind: 'not_sent' }>;
type Declined = Extract<AcquirerOutcome, { kind: 'declined' }>;

/** The code of a failure whose request never reached the acquirer. */
export const ACQUIRER_UNAVAILABLE = 'acquirer_unavailable';

const failureOf = (outcome: Declined | NotSent): Failure =>
  outcome.kind === 'declined'
    ? {
        code: outcome.code,
        declineCode: outcome.declineCode,
        adviceCode: outcome.adviceCode,
        message: outcome.message,
      }
    : {
        code: ACQUIRER_UNAVAILABLE,
        declineCode: null,
        adviceCode: 'try_again_later',
        message: 'The acquirer could not be reached. Nothing was reserved.',
      };

/** The same news twice is no news; another outcome than the recorded one is for people to look at, never an overwrite. */
const alreadyKnown = (operation: Operation, outcome: AcquirerOutcome): Outcome => {
  const { kind } = outcome;
  if (kind === 'unanswered') return accept();
  const same =
    (kind === 'approved' && operation.state === 'approved') ||
    (kind === 'declined' && operation.state === 'declined') ||
    (kind === 'not_sent' && operation.state === 'failed');
  return same
    ? accept()
    : refuse({
        code: 'outcome_contradicts_record',
        operationId: operation.id,
        recorded: operation.state,
        reported: kind,
      });
};

/**
 * Captures, voids and refunds that were not sent are orders that were given and accepted: they wait, like those whose
 * answer is missing, and are sent again under their own id. A payer waits for an authorization, so that one fails,
 * unless an earlier try of it may have arrived.
 */
const deferred = (outcome: AcquirerOutcome): Exclude<AcquirerOutcome, NotSent> =>
  outcome.kind === 'not_sent' ? { kind: 'unanswered', reason: outcome.reason } : outcome;

const authorizationOutcome = (operation: AuthorizeOperation, command: RecordOutcome): Outcome => {
  const { at, expiresAt } = command;
  const sentBefore = command.perhapsSentBefore || operation.state === 'unanswered';
  const outcome = sentBefore ? deferred(command.outcome) : command.outcome;
  const { id: attemptId, amountMinor, saleCaptureId } = operation;
  if (outcome.kind === 'unanswered')
    return operation.state === 'unanswered'
      ? accept()
      : accept({ type: 'AuthorizationUnanswered', at, attemptId, reason: outcome.reason });
  if (outcome.kind !== 'approved') {
    const failure = failureOf(outcome);
    const reached = outcome.kind === 'declined';
    return accept<PaymentEvent>(
      { type: 'AuthorizationDeclined', at, attemptId, failure, reached },
      { type: 'PaymentFailed', at, attemptId, failure },
    );
  }
  const { acquirerReference } = outcome;
  const authorized = { type: 'PaymentAuthorized', at, attemptId, amountMinor, acquirerReference, expiresAt } as const;
  return saleCaptureId === null
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

const captured = (
  payment: Payment,
  operation: CaptureOperation,
  command: { readonly at: Date; readonly feeTerms: FeeTerms; readonly acquirerReference: string },
): Outcome => {
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

const captureOutcome = (payment: Payment, operation: CaptureOperation, command: RecordOutcome): Outcome => {
  const { at, feeTerms } = command;
  const captureId = operation.id;
  const outcome = deferred(command.outcome);
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

const voidOutcome = (payment: Payment, operation: VoidOperation, command: RecordOutcome): Outcome => {
  const { at } = command;
  const { id: voidId, reason } = operation;
  const outcome = deferred(command.outcome);
  switch (outcome.kind) {
    case 'approved': {
      const releasedMinor = authorizedMinor(payment) - capturedMinor(payment);
      return accept({ type: 'PaymentCanceled', at, voidId, releasedMinor, reason, metadata: {} });
    }
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

const refundOutcome = (operation: RefundOperation, command: RecordOutcome): Outcome => {
  const { at } = command;
  const { id: refundId, amountMinor } = operation;
  const outcome = deferred(command.outcome);
  switch (outcome.kind) {
    case 'approved': {
      const { acquirerReference } = outcome;
      return accept({ type: 'RefundSucceeded', at, refundId, amountMinor, acquirerReference });
    }
    case 'declined':
      return accept({ type: 'RefundFailed', at, refundId, amountMinor, failure: failureOf(outcome) });
    case 'unanswered':
      return operation.state === 'unanswered'
        ? accept()
        : accept({ type: 'RefundUnanswered', at, refundId, reason: outcome.reason });
    default:
      return unreachable(outcome);
  }
};

/**
 * The acquirer's word on an operation, by whatever way it came: the answer itself, an inquiry, a webhook. Whoever comes
 * first decides; whoever says the same later changes nothing.
 */
export const recordOutcome = (payment: Payment, command: RecordOutcome): Outcome => {
  const operation = operationOf(payment, command.operationId);
  if (!operation) return refuse({ code: 'operation_unknown', operationId: command.operationId });
  if (!isOpen(operation)) return alreadyKnown(operation, command.outcome);
  switch (operation.kind) {
    case 'authorize':
      return authorizationOutcome(operation, command);
    case 'capture':
      return captureOutcome(payment, operation, command);
    case 'void':
      return voidOutcome(payment, operation, command);
    case 'refund':
      return refundOutcome(operation, command);
    default:
      return unreachable(operation);
  }
};
