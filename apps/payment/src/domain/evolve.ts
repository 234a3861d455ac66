import { unreachable } from '@payflow/kernel';

import { type Dispute, openedDispute } from './dispute.js';
import type { PaymentEvent } from './events.js';
import {
  type AuthorizeOperation,
  type CaptureOperation,
  initialPayment,
  isOpen,
  type Operation,
  type OperationId,
  operationOf,
  type Payment,
  type RefundOperation,
  type VoidOperation,
} from './payment.js';

type Ending = Pick<Operation, 'state'> &
  Partial<Pick<Operation, 'acquirerReference' | 'failure' | 'unansweredReason' | 'finishedAt'>>;

const begun = (acquirer: string, amountMinor: bigint, at: Date) =>
  ({
    acquirer,
    amountMinor,
    state: 'requested',
    unansweredReason: null,
    acquirerReference: null,
    failure: null,
    stuckAt: null,
    startedAt: at,
    finishedAt: null,
  }) as const;

const withOperation = (payment: Payment, operation: Operation): Payment => ({
  ...payment,
  operations: [...payment.operations, operation],
});

const changed = <Kind extends Operation>(operation: Kind, ending: Ending): Kind => ({
  ...operation,
  unansweredReason: null,
  ...ending,
});

const withEnding = (payment: Payment, id: OperationId, ending: Ending): Payment => ({
  ...payment,
  operations: payment.operations.map((operation) => (operation.id === id ? changed(operation, ending) : operation)),
});

const withAttempt = (
  payment: Payment,
  id: string,
  change: Partial<Pick<AuthorizeOperation, 'state' | 'action' | 'unwanted'>>,
): Payment => ({
  ...payment,
  operations: payment.operations.map((operation) =>
    operation.kind === 'authorize' && operation.id === id ? { ...operation, ...change } : operation,
  ),
});

const withDispute = (payment: Payment, disputeId: string, change: Partial<Dispute>): Payment => ({
  ...payment,
  disputes: payment.disputes.map((dispute) => (dispute.disputeId === disputeId ? { ...dispute, ...change } : dispute)),
});

const withoutReview = (payment: Payment): Payment =>
  payment.review === null ? payment : { ...payment, review: { ...payment.review, open: false } };

const acquirerOf = (payment: Payment): string => payment.authorization?.acquirer ?? '';

const acquirerOfVoid = (payment: Payment, reverses: string | null): string =>
  payment.operations.find(({ id }) => id === reverses)?.acquirer ?? acquirerOf(payment);

/** One event applied. Total: it believes what happened and refuses nothing; deciding is over. */
const applied = (payment: Payment, event: PaymentEvent): Payment => {
  const { at } = event;
  switch (event.type) {
    case 'PaymentCreated': {
      const { type: _type, at: _at, ...facts } = event;
      return { ...initialPayment, ...facts, version: payment.version, createdAt: at };
    }
    case 'PaymentUpdated': {
      const { type: _type, at: _at, ...details } = event;
      return { ...payment, ...details };
    }
    case 'AuthorizationRequested': {
      const operation: AuthorizeOperation = {
        kind: 'authorize',
        id: event.attemptId,
        route: event.route,
        action: null,
        unwanted: null,
        saleCaptureId: event.saleCaptureId,
        ...begun(event.acquirer, event.amountMinor, at),
      };
      return withOperation({ ...payment, paymentMethod: event.paymentMethod }, operation);
    }
    case 'ActionRequired': {
      const { attemptId, url, expiresAt } = event;
      return withAttempt(payment, attemptId, { state: 'action_required', action: { url, expiresAt } });
    }
    case 'PaymentAuthorized': {
      const { attemptId, acquirerReference, expiresAt } = event;
      const acquirer = payment.operations.find((operation) => operation.id === attemptId)?.acquirer ?? '';
      return withEnding(
        {
          ...payment,
          authorization: { attemptId, acquirer, acquirerReference, authorizedAt: at, expiresAt },
          lastError: null,
        },
        attemptId,
        { state: 'approved', acquirerReference, failure: null, finishedAt: at },
      );
    }
    case 'AuthorizationDeclined': {
      const { failure, reached } = event;
      return withEnding({ ...payment, lastError: failure }, event.attemptId, {
        state: reached ? 'declined' : 'failed',
        failure,
        finishedAt: at,
      });
    }
    case 'PaymentFailed':
      return { ...payment, failed: true, lastError: event.failure };
    case 'AuthorizationUnanswered':
      return withEnding(payment, event.attemptId, { state: 'unanswered', unansweredReason: event.reason });
    case 'ApprovalUnwanted': {
      const { attemptId, cause, acquirerReference, amountMinor } = event;
      return withAttempt(payment, attemptId, { unwanted: { cause, acquirerReference, amountMinor } });
    }
    case 'AttemptReversed': {
      const undone = withEnding(payment, event.voidId, { state: 'approved', failure: null, finishedAt: at });
      const attempt = operationOf(payment, event.attemptId);
      return attempt && isOpen(attempt) ? withEnding(undone, attempt.id, { state: 'failed', finishedAt: at }) : undone;
    }
    case 'PaymentStuck':
      return {
        ...payment,
        operations: payment.operations.map((operation) =>
          operation.id === event.operationId ? { ...operation, stuckAt: at } : operation,
        ),
      };
    case 'CaptureRequested': {
      const operation: CaptureOperation = {
        kind: 'capture',
        id: event.captureId,
        final: event.final,
        ...begun(acquirerOf(payment), event.amountMinor, at),
      };
      return withOperation({ ...payment, metadata: { ...payment.metadata, ...event.metadata } }, operation);
    }
    case 'PaymentCaptured': {
      const { acquirerReference } = event;
      return withEnding(
        {
          ...payment,
          feeMinor: payment.feeMinor + event.feeMinor,
          closed: payment.closed || event.final,
          capturedAt: at,
          lastError: null,
        },
        event.captureId,
        { state: 'approved', acquirerReference, failure: null, finishedAt: at },
      );
    }
    case 'CaptureDeclined': {
      const { failure } = event;
      return withEnding({ ...payment, lastError: failure }, event.captureId, {
        state: 'declined',
        failure,
        finishedAt: at,
      });
    }
    case 'CaptureUnanswered':
      return withEnding(payment, event.captureId, { state: 'unanswered', unansweredReason: event.reason });
    case 'VoidRequested': {
      const operation: VoidOperation = {
        kind: 'void',
        id: event.voidId,
        cause: event.cause,
        reverses: event.reverses,
        reason: event.reason,
        ...begun(acquirerOfVoid(payment, event.reverses), event.amountMinor, at),
      };
      return withOperation({ ...payment, metadata: { ...payment.metadata, ...event.metadata } }, operation);
    }
    case 'PaymentCanceled': {
      const canceled: Payment = {
        ...withoutReview(payment),
        closed: true,
        canceledAt: at,
        metadata: { ...payment.metadata, ...event.metadata },
      };
      return event.voidId === null
        ? canceled
        : withEnding(canceled, event.voidId, { state: 'approved', failure: null, finishedAt: at });
    }
    case 'PaymentExpired':
      return withEnding({ ...payment, closed: true, expiredAt: at }, event.voidId, {
        state: 'approved',
        finishedAt: at,
      });
    case 'VoidDeclined': {
      const { failure } = event;
      return withEnding(payment.failed ? payment : { ...payment, lastError: failure }, event.voidId, {
        state: 'declined',
        failure,
        finishedAt: at,
      });
    }
    case 'VoidUnanswered':
      return withEnding(payment, event.voidId, { state: 'unanswered', unansweredReason: event.reason });
    case 'RefundRequested': {
      const operation: RefundOperation = {
        kind: 'refund',
        id: event.refundId,
        reason: event.reason,
        metadata: event.metadata,
        ...begun(acquirerOf(payment), event.amountMinor, at),
      };
      return withOperation(payment, operation);
    }
    case 'RefundSucceeded': {
      const { acquirerReference } = event;
      return withEnding(payment, event.refundId, {
        state: 'approved',
        acquirerReference,
        failure: null,
        finishedAt: at,
      });
    }
    case 'RefundFailed':
      return withEnding(payment, event.refundId, { state: 'declined', failure: event.failure, finishedAt: at });
    case 'RefundUnanswered':
      return withEnding(payment, event.refundId, { state: 'unanswered', unansweredReason: event.reason });
    case 'FraudDecided': {
      const { type: _type, at: _at, paymentMethod, ...fraud } = event;
      return { ...payment, paymentMethod, fraud };
    }
    case 'ReviewOpened': {
      const { reviewId, decideBy, sale } = event;
      return {
        ...payment,
        review: { reviewId, decideBy, sale, open: true, openedAt: payment.review?.openedAt ?? event.at },
      };
    }
    case 'ReviewClosed':
      return withoutReview(payment);
    case 'PaymentRejected':
      return { ...withoutReview(payment), failed: true, lastError: event.failure };
    case 'PaymentSettled': {
      const { settlementId, acquirer, grossMinor, feeMinor, netMinor } = event;
      const settled = { settlementId, acquirer, grossMinor, feeMinor, netMinor, settledAt: at };
      return { ...payment, settlements: [...payment.settlements, settled] };
    }
    case 'DisputeOpened': {
      const { type: _type, at: _at, ...facts } = event;
      return { ...payment, disputes: [...payment.disputes, openedDispute(facts, at)] };
    }
    case 'DisputeResponseOrdered':
      return withDispute(payment, event.disputeId, { response: event.response, respondedAt: at, updatedAt: at });
    case 'DisputeEvidenceSubmitted':
      return withDispute(payment, event.disputeId, { status: 'UNDER_REVIEW', updatedAt: at });
    case 'DisputeClosed': {
      const { outcome, feeReturnedMinor } = event;
      return withDispute(payment, event.disputeId, { status: outcome, feeReturnedMinor, updatedAt: at, closedAt: at });
    }
    default:
      return unreachable(event);
  }
};

/** The payment after one more event. */
export const evolve = (payment: Payment, event: PaymentEvent): Payment => ({
  ...applied(payment, event),
  version: payment.version + 1,
  updatedAt: event.at,
});

/** The payment that a history tells. */
export const fold = (events: readonly PaymentEvent[], from: Payment = initialPayment): Payment =>
  events.reduce(evolve, from);
