import { accept, type Decision, refuse } from '@payflow/kernel';

import type { AuthorizePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { judgedEvents } from './fraud.js';
import { openReview, type Payment, statusOf } from './payment.js';
import type { AuthorizeRefusal } from './refusals.js';

/** Why the payment cannot be authorized, whoever pays and however; undefined when it can. */
export const authorizationRefusal = (payment: Payment): AuthorizeRefusal | undefined =>
  payment.operations.length > 0 || payment.closed || payment.failed || openReview(payment) !== undefined
    ? { code: 'payment_not_authorizable', status: statusOf(payment) }
    : undefined;

/**
 * Asks an acquirer to hold the amount, if fraud lets it. Once per payment: while the answer is out, or people look at it,
 * and after that, there is no second try.
 */
export const authorize = (payment: Payment, command: AuthorizePayment): Decision<PaymentEvent, AuthorizeRefusal> => {
  const refusal = authorizationRefusal(payment);
  if (refusal) return refuse(refusal);
  const [acquirer] = command.route;
  if (acquirer === undefined) return refuse({ code: 'payment_not_routable' });
  return accept(
    ...judgedEvents(command.judgement, {
      type: 'AuthorizationRequested',
      at: command.at,
      attemptId: command.attemptId,
      acquirer,
      route: command.route,
      amountMinor: payment.amountMinor,
      paymentMethod: command.paymentMethod,
      saleCaptureId: command.saleCaptureId,
    }),
  );
};
