import { accept, type Decision, refuse } from '@payflow/kernel';

import type { AuthorizePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { type Payment, statusOf } from './payment.js';
import type { AuthorizeRefusal } from './refusals.js';

/** Asks an acquirer to hold the amount. Once per payment: while the answer is out, and after it, there is no second try. */
export const authorize = (payment: Payment, command: AuthorizePayment): Decision<PaymentEvent, AuthorizeRefusal> => {
  if (payment.operations.length > 0 || payment.closed)
    return refuse({ code: 'payment_not_authorizable', status: statusOf(payment) });
  return accept({
    type: 'AuthorizationRequested',
    at: command.at,
    attemptId: command.attemptId,
    acquirer: command.acquirer,
    amountMinor: payment.amountMinor,
    paymentMethod: command.paymentMethod,
    saleCaptureId: command.saleCaptureId,
  });
};
