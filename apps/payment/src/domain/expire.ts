import { accept, type Decision, refuse } from '@payflow/kernel';

import type { ExpirePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { capturableMinor, openOperations, openVoidsOfHold, type Payment } from './payment.js';
import type { TimerRefusal } from './refusals.js';

/**
 * An authorization lasts as long as the acquirer keeps it (7 days by default); then what is left of it is voided there.
 * Once: an acquirer that declines that void has closed the authorization itself, which people have to see.
 */
export const expire = (payment: Payment, { at, voidId }: ExpirePayment): Decision<PaymentEvent, TimerRefusal> => {
  const { authorization, closed, operations } = payment;
  const askedBefore = operations.some((operation) => operation.kind === 'void' && operation.cause === 'expiry');
  if (!authorization || closed || at < authorization.expiresAt || askedBefore) return refuse({ code: 'nothing_due' });
  if (openOperations(payment, 'capture').length > 0 || openVoidsOfHold(payment).length > 0)
    return refuse({ code: 'nothing_due' });
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
