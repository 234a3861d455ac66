import {
  type EventDefinition,
  PAYMENT_EVENTS,
  type PaymentEventName,
  type PaymentEventPayload,
} from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import type { OutgoingEvent } from '@payflow/messaging';

import { disputeOf } from '../domain/dispute.js';
import type { PaymentEvent, PaymentEventType, PaymentSettled } from '../domain/events.js';
import {
  acquirerOf,
  capturedMinor,
  operationOf,
  type Payment,
  type RefundOperation,
  refundedMinor,
} from '../domain/payment.js';

type EventOf<Type extends PaymentEventType> = Extract<PaymentEvent, { type: Type }>;
type Publication = {
  readonly [Name in PaymentEventName]: readonly [Name, PaymentEventPayload<Name>];
}[PaymentEventName];

/** What the world is told of an event, given the payment after it; null: nobody but us needs to know. */
type Publications = {
  readonly [Type in PaymentEventType]: ((event: EventOf<Type>, payment: Payment) => Publication) | null;
};

/** Whom an event is about: as much of a payment as every publication says. */
export type Subject = Pick<Payment, 'paymentId' | 'merchantId' | 'userId' | 'currency' | 'metadata'>;

const subjectOf = (payment: Subject) => ({
  paymentId: payment.paymentId,
  merchantId: payment.merchantId,
  userId: payment.userId,
  currency: payment.currency,
  metadata: payment.metadata,
});

const present = <Value>(name: string, value: Value | null): { readonly [key: string]: Value } =>
  value === null ? {} : { [name]: value };

const paymentMethodOf = ({ paymentMethod }: Payment) => ({
  type: paymentMethod?.type ?? 'card',
  ...present('brand', paymentMethod?.brand ?? null),
  ...present('last4', paymentMethod?.last4 ?? null),
  ...present('fingerprint', paymentMethod?.fingerprint ?? null),
});

/** A payment that an acquirer has acted upon has one. */
const acquirerIn = (payment: Payment): string => {
  const acquirer = acquirerOf(payment);
  if (acquirer === null) throw new Error(`invariant: ${payment.paymentId} was never sent to an acquirer`);
  return acquirer;
};

const refundReasonOf = (payment: Payment, refundId: string): string | null =>
  (operationOf(payment, refundId) as RefundOperation | undefined)?.reason ?? null;

const settledPayload = (event: PaymentSettled, subject: Subject): PaymentEventPayload<'settled'> => ({
  ...subjectOf(subject),
  settlementId: event.settlementId,
  acquirer: event.acquirer,
  bank: event.bank,
  gross: minorToJson(event.grossMinor),
  fee: minorToJson(event.feeMinor),
  net: minorToJson(event.netMinor),
  balanceTransactionIds: [...event.balanceTransactionIds],
});

const disputeSubjectOf = (payment: Payment, disputeId: string) => {
  const dispute = disputeOf(payment.disputes, disputeId);
  if (!dispute) throw new Error(`invariant: ${payment.paymentId} has no dispute ${disputeId}`);
  const { acquirer, acquirerReference, amountMinor } = dispute;
  return { ...subjectOf(payment), disputeId, amount: minorToJson(amountMinor), acquirer, acquirerReference };
};

const PUBLICATIONS = {
  PaymentCreated: (event, payment) => [
    'created',
    { ...subjectOf(payment), amount: minorToJson(event.amountMinor), reference: event.reference },
  ],
  PaymentUpdated: null,
  AuthorizationRequested: null,
  PaymentAuthorized: (event, payment) => [
    'authorized',
    {
      ...subjectOf(payment),
      amount: minorToJson(event.amountMinor),
      acquirer: acquirerIn(payment),
      acquirerReference: event.acquirerReference,
      attemptId: event.attemptId,
      expiresAt: event.expiresAt.toISOString(),
      paymentMethod: paymentMethodOf(payment),
    },
  ],
  AuthorizationDeclined: null,
  PaymentFailed: (event, payment) => [
    'failed',
    {
      ...subjectOf(payment),
      amount: minorToJson(payment.amountMinor),
      acquirer: acquirerIn(payment),
      attemptId: event.attemptId,
      code: event.failure.code,
      declineCode: event.failure.declineCode,
      message: event.failure.message,
    },
  ],
  AuthorizationUnanswered: null,
  ActionRequired: (event, payment) => [
    'requiresAction',
    {
      ...subjectOf(payment),
      amount: minorToJson(payment.amountMinor),
      acquirer: acquirerIn(payment),
      attemptId: event.attemptId,
      redirectUrl: event.url,
      expiresAt: event.expiresAt.toISOString(),
    },
  ],
  ApprovalUnwanted: null,
  AttemptReversed: null,
  PaymentStuck: (event, payment) => [
    'stuck',
    {
      ...subjectOf(payment),
      operationId: event.operationId,
      operation: operationOf(payment, event.operationId)?.kind ?? 'authorize',
      acquirer: operationOf(payment, event.operationId)?.acquirer ?? acquirerIn(payment),
      inquiries: event.inquiries,
    },
  ],
  CaptureRequested: null,
  PaymentCaptured: (event, payment) => [
    'captured',
    {
      ...subjectOf(payment),
      captureId: event.captureId,
      amount: minorToJson(event.amountMinor),
      fee: minorToJson(event.feeMinor),
      released: minorToJson(event.releasedMinor),
      capturedTotal: minorToJson(capturedMinor(payment)),
      final: event.final,
      acquirer: acquirerIn(payment),
      acquirerReference: event.acquirerReference,
    },
  ],
  CaptureDeclined: null,
  CaptureUnanswered: null,
  VoidRequested: null,
  PaymentCanceled: (event, payment) => [
    'canceled',
    {
      ...subjectOf(payment),
      released: minorToJson(event.releasedMinor),
      acquirer: event.voidId === null ? null : acquirerIn(payment),
      reason: event.reason,
    },
  ],
  PaymentExpired: (event, payment) => [
    'expired',
    { ...subjectOf(payment), released: minorToJson(event.releasedMinor), acquirer: acquirerIn(payment) },
  ],
  VoidDeclined: null,
  VoidUnanswered: null,
  RefundRequested: null,
  RefundSucceeded: (event, payment) => [
    'refunded',
    {
      ...subjectOf(payment),
      refundId: event.refundId,
      amount: minorToJson(event.amountMinor),
      refundedTotal: minorToJson(refundedMinor(payment)),
      reason: refundReasonOf(payment, event.refundId),
      acquirer: acquirerIn(payment),
      acquirerReference: event.acquirerReference,
    },
  ],
  RefundFailed: (event, payment) => [
    'refundFailed',
    {
      ...subjectOf(payment),
      refundId: event.refundId,
      amount: minorToJson(event.amountMinor),
      acquirer: acquirerIn(payment),
      code: event.failure.code,
      message: event.failure.message,
      reversed: event.hadSucceeded,
    },
  ],
  RefundUnanswered: null,
  FraudDecided: null,
  ReviewOpened: (event, payment) => [
    'inReview',
    {
      ...subjectOf(payment),
      amount: minorToJson(payment.amountMinor),
      decisionId: payment.fraud?.decisionId ?? null,
      reviewId: event.reviewId,
      decideBy: event.decideBy.toISOString(),
    },
  ],
  ReviewClosed: null,
  PaymentRejected: (event, payment) => [
    'failed',
    {
      ...subjectOf(payment),
      amount: minorToJson(payment.amountMinor),
      acquirer: null,
      attemptId: null,
      code: event.failure.code,
      declineCode: event.failure.declineCode,
      message: event.failure.message,
    },
  ],
  DisputeOpened: (event, payment) => [
    'disputeOpened',
    {
      ...disputeSubjectOf(payment, event.disputeId),
      fee: minorToJson(event.feeMinor),
      reason: event.reason,
      evidenceDueBy: event.evidenceDueBy.toISOString(),
    },
  ],
  DisputeResponseOrdered: null,
  DisputeEvidenceSubmitted: (event, payment) => [
    'disputeUpdated',
    { ...disputeSubjectOf(payment, event.disputeId), status: 'UNDER_REVIEW' },
  ],
  DisputeClosed: (event, payment) => [
    'disputeClosed',
    {
      ...disputeSubjectOf(payment, event.disputeId),
      status: event.outcome,
      feeReturned: minorToJson(event.feeReturnedMinor),
    },
  ],
  PaymentSettled: (event, payment) => ['settled', settledPayload(event, payment)],
} satisfies Publications;

/** The outgoing event that tells of a domain event, if any. `payment` is the payment right after it. */
export const publicationOf = (event: PaymentEvent, payment: Payment): OutgoingEvent | undefined => {
  const publish = PUBLICATIONS[event.type] as ((event: PaymentEvent, payment: Payment) => Publication) | null;
  if (!publish) return undefined;
  return outgoing(publish(event, payment), payment, event.at);
};

/** The same for one of many payments that are settled at once, none of which is folded for it. */
export const settledPublication = (event: PaymentSettled, subject: Subject): OutgoingEvent =>
  outgoing(['settled', settledPayload(event, subject)], subject, event.at);

const outgoing = (
  [name, payload]: Publication,
  { paymentId, merchantId }: Subject,
  occurredAt: Date,
): OutgoingEvent => {
  const definition: EventDefinition = PAYMENT_EVENTS[name];
  return { definition, aggregateId: paymentId, merchantId, key: merchantId, payload, occurredAt };
};
