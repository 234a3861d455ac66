import { minorToJson } from '@payflow/kernel';

import { chargedBackMinor } from './dispute.js';
import type { PaymentEvent } from './events.js';
import { capturedMinor, isOpen, operationOf, type Operation, type Payment, refundedMinor } from './payment.js';

/**
 * What the machine cannot decide and people must.
 * - contradiction: the acquirer says the opposite of what it said before;
 * - stuck: every inquiry has gone by, and nobody knows how an order ended;
 * - void_declined: the acquirer will not give back what nobody wants, or what has run out;
 * - overdrawn: refunds and chargebacks together are more than was captured, so the payer has got money twice;
 * - unrecorded_dispute: an acquirer tells of a dispute that no payment of ours can take, and may have taken money for it.
 */
export type ExceptionKind = 'contradiction' | 'stuck' | 'void_declined' | 'overdrawn' | 'unrecorded_dispute';

export interface PaymentException {
  readonly operationId: string;
  readonly kind: ExceptionKind;
  readonly detail: Readonly<Record<string, unknown>>;
}

const stuck = (operation: Operation, inquiries: number): PaymentException => ({
  operationId: operation.id,
  kind: 'stuck',
  detail: { operation: operation.kind, acquirer: operation.acquirer, reason: operation.unansweredReason, inquiries },
});

/** A merchant whose own cancel is declined hears of it; of what PayFlow ordered by itself, nobody would. */
const voidDeclined = (operation: Operation, failure: object): readonly PaymentException[] => {
  if (operation.kind !== 'void' || (operation.cause === 'request' && operation.reverses === null)) return [];
  const { id: operationId, acquirer, cause, reverses } = operation;
  return [{ operationId, kind: 'void_declined', detail: { acquirer, cause, reverses, failure } }];
};

/** A chargeback that meets a refund: each is a fact, and neither is refused. */
const overdrawn = (operationId: string, payment: Payment): readonly PaymentException[] => {
  const refunded = refundedMinor(payment);
  const chargedBack = chargedBackMinor(payment.disputes);
  const captured = capturedMinor(payment);
  if (refunded + chargedBack <= captured) return [];
  const detail = {
    captured: minorToJson(captured),
    refunded: minorToJson(refunded),
    chargedBack: minorToJson(chargedBack),
  };
  return [{ operationId, kind: 'overdrawn', detail }];
};

/** What an event leaves for people. @param after the payment, the event included */
export const exceptionsOf = (event: PaymentEvent, after: Payment): readonly PaymentException[] => {
  if (event.type === 'DisputeOpened') return overdrawn(event.disputeId, after);
  if (event.type === 'RefundSucceeded') return overdrawn(event.refundId, after);
  if (event.type !== 'PaymentStuck' && event.type !== 'VoidDeclined') return [];
  const operation = operationOf(after, event.type === 'PaymentStuck' ? event.operationId : event.voidId);
  if (!operation) return [];
  return event.type === 'PaymentStuck' ? [stuck(operation, event.inquiries)] : voidDeclined(operation, event.failure);
};

/**
 * Why a dispute is recorded nowhere:
 * - unknown_dispute: asked about it, the acquirer does not know it;
 * - no_answer: asked about it, the acquirer says nothing that can be understood; it is asked on;
 * - unreadable: an entry of the feed does not say which dispute it is about;
 * - unknown_payment, not_of_payment: the payment it names is not ours; or is at another acquirer, under another
 *   authorization (or one that was given back), or in another currency.
 */
export type UnrecordedReason = 'unknown_dispute' | 'no_answer' | 'unreadable' | 'unknown_payment' | 'not_of_payment';

/** @param reference the acquirer's id of the dispute, or the entry of its feed */
export const unrecordedDispute = (
  acquirer: string,
  reference: string,
  reason: UnrecordedReason,
  told: Readonly<Record<string, unknown>> = {},
): PaymentException => ({
  operationId: unrecordedId(acquirer, reference),
  kind: 'unrecorded_dispute',
  detail: { acquirer, reference, reason, ...told },
});

/** Two acquirers may call their disputes alike. */
export const unrecordedId = (acquirer: string, reference: string): string => `${acquirer}:${reference}`;

/** Orders that were handed to people and have ended since: nobody has to look at them any more. */
export const endedSinceStuck = (before: Payment, after: Payment): readonly Operation[] =>
  after.operations.filter((operation, index) => {
    const was = before.operations[index];
    return was !== undefined && was.stuckAt !== null && isOpen(was) && !isOpen(operation);
  });
