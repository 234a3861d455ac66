import { accept, type Decision, refuse } from '@payflow/kernel';

import type { GiveUpAttempt, MarkStuck } from './commands.js';
import type { PaymentEvent } from './events.js';
import { isOpen, openVoidsOfHold, operationOf, type Payment } from './payment.js';
import type { TimerRefusal } from './refusals.js';

/**
 * Ends an authorization that nobody can wait for any longer by reversing it at the acquirer. Only when that is confirmed
 * does the payment fail: until then the attempt may turn out to have been approved.
 */
export const giveUp = (
  payment: Payment,
  { at, operationId, voidId }: GiveUpAttempt,
): Decision<PaymentEvent, TimerRefusal> => {
  const attempt = operationOf(payment, operationId);
  if (attempt?.kind !== 'authorize' || !isOpen(attempt) || openVoidsOfHold(payment).length > 0)
    return refuse({ code: 'nothing_due' });
  return accept({
    type: 'VoidRequested',
    at,
    voidId,
    cause: 'timeout',
    reverses: attempt.id,
    amountMinor: attempt.amountMinor,
    reason: 'authorization_timed_out',
    metadata: {},
  });
};

/** Once for each order, however long it stays open. */
export const markStuck = (
  payment: Payment,
  { at, operationId, inquiries }: MarkStuck,
): Decision<PaymentEvent, TimerRefusal> => {
  const operation = operationOf(payment, operationId);
  if (!operation || !isOpen(operation) || operation.stuckAt) return refuse({ code: 'nothing_due' });
  return accept({ type: 'PaymentStuck', at, operationId, inquiries });
};
