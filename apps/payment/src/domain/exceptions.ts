import type { PaymentEvent } from './events.js';
import { isOpen, operationOf, type Operation, type Payment } from './payment.js';

/**
 * What the machine cannot decide and people must.
 * - contradiction: the acquirer says the opposite of what it said before;
 * - stuck: every inquiry has gone by, and nobody knows how an order ended;
 * - void_declined: the acquirer will not give back what nobody wants, or what has run out.
 */
export type ExceptionKind = 'contradiction' | 'stuck' | 'void_declined';

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

/** What an event leaves for people. @param after the payment, the event included */
export const exceptionsOf = (event: PaymentEvent, after: Payment): readonly PaymentException[] => {
  if (event.type !== 'PaymentStuck' && event.type !== 'VoidDeclined') return [];
  const operation = operationOf(after, event.type === 'PaymentStuck' ? event.operationId : event.voidId);
  if (!operation) return [];
  return event.type === 'PaymentStuck' ? [stuck(operation, event.inquiries)] : voidDeclined(operation, event.failure);
};

/** Orders that were handed to people and have ended since: nobody has to look at them any more. */
export const endedSinceStuck = (before: Payment, after: Payment): readonly Operation[] =>
  after.operations.filter((operation, index) => {
    const was = before.operations[index];
    return was !== undefined && was.stuckAt !== null && isOpen(was) && !isOpen(operation);
  });
