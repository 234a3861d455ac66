import { unreachable } from '@payflow/kernel';

import type { AcquirerOutcome } from './commands.js';
import { type AuthorizeOperation, type Operation, operationOf, type Payment } from './payment.js';

/**
 * The saga of a payment: what is to be done next at the acquirers. Like the aggregate it is pure: it reads what is
 * committed and says a step, so a process that takes over after a crash goes on exactly where the other one died. Its
 * timers are the rows of the open orders.
 */

/** What the authorization's request, or its recovery, goes on with by itself: the next attempt, a sale's capture, a reversal. */
const followsFrom = (first: AuthorizeOperation, operation: Operation): boolean => {
  switch (operation.kind) {
    case 'authorize':
      return true;
    case 'capture':
      return operation.id === first.saleCaptureId;
    case 'void':
      return operation.cause === 'unwanted_approval';
    case 'refund':
      return false;
    default:
      return unreachable(operation);
  }
};

/** What is to be sent next for the request that started with this operation, or nothing. */
export const nextStep = (payment: Payment, firstOperationId: string): Operation | undefined => {
  const first = operationOf(payment, firstOperationId);
  if (first?.state === 'requested') return first;
  if (first?.kind !== 'authorize') return undefined;
  return payment.operations.find((operation) => operation.state === 'requested' && followsFrom(first, operation));
};

/** What an acquirer says of an order when it is asked. `not_found`: it has never seen the reference, up to now. */
export type InquiryAnswer =
  AcquirerOutcome | { readonly kind: 'not_found' } | { readonly kind: 'no_answer'; readonly reason: string };

/** What to do with an open order, now that the acquirer was asked about it. */
export type InquiryStep =
  /** The answer is worth recording; recording what is recorded already changes nothing. */
  | { readonly kind: 'record'; readonly outcome: AcquirerOutcome }
  /** It never arrived: it is sent under its own id, so that it happens once even if it is only late. */
  | { readonly kind: 'send' }
  /** Nobody waits for it any longer: it is reversed by its reference. */
  | { readonly kind: 'give_up' }
  /** Nothing is known that was not known before. */
  | { readonly kind: 'wait' };

export interface InquiryPolicy {
  /** A payer does not expect to be charged for what he asked for longer ago than this. */
  readonly resendAuthorizationWithinMs: number;
}

const isTooOldToSend = (operation: Operation, at: Date, policy: InquiryPolicy): boolean =>
  operation.kind === 'authorize' && at.getTime() - operation.startedAt.getTime() > policy.resendAuthorizationWithinMs;

/** After an inquiry about an open order. */
export const afterInquiry = (
  operation: Operation,
  answer: InquiryAnswer,
  at: Date,
  policy: InquiryPolicy,
): InquiryStep => {
  switch (answer.kind) {
    case 'no_answer':
      // Whoever was to send it has died: from now on the payment says that nobody knows.
      return operation.state === 'requested'
        ? { kind: 'record', outcome: { kind: 'unanswered', reason: answer.reason } }
        : { kind: 'wait' };
    case 'not_found':
      return isTooOldToSend(operation, at, policy) ? { kind: 'give_up' } : { kind: 'send' };
    case 'action_required':
      return at > answer.expiresAt ? { kind: 'give_up' } : { kind: 'record', outcome: answer };
    case 'approved':
    case 'partially_approved':
    case 'declined':
    case 'unanswered':
    case 'not_sent':
      return { kind: 'record', outcome: answer };
    default:
      return unreachable(answer);
  }
};
