import { accept, type Decision, refuse } from '@payflow/kernel';

import type { ExpirePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { capturableMinor, openOperations, openVoidsOfHold, type Payment } from './payment.js';
import type { TimerRefusal } from './refusals.js';

/**
 * When what is left of the authorization is to be voided; null while there is nothing to void, or somebody does. Once: an
 * acquirer that declines that void has closed the authorization itself, which people have to see.
 */
export const expiryDueAt = (payment: Payment): Date | null => {
  const { authorization, closed, operations } = payment;
  const askedBefore = operations.some((operation) => operation.kind === 'void' && operation.cause === 'expiry');
  if (!authorization || closed || askedBefore) return null;
  const busy = openOperations(payment, 'capture').length > 0 || openVoidsOfHold(payment).length > 0;
  return busy ? null : authorization.expiresAt;
};

/** An authorization lasts as long as the acquirer keeps it (7 days by default); then what is left of it is voided there. */
export const expire = (payment: Payment, { at, voidId }: ExpirePayment): Decision<PaymentEvent, TimerRefusal> => {
  const dueAt = expiryDueAt(payment);
  if (dueAt === null || at < dueAt) return refuse({ code: 'nothing_due' });
  const amountMinor = capturableMinor(payment);
  return accept({
    type: 'VoidRequested',
    at,
    voidId,
    cause: 'expiry',
    reverses: null,
    amountMinor,
    reason: 'authorization_expired',
    metadata: {},
  });
};
