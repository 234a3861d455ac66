import { accept, type Decision, refuse } from '@payflow/kernel';

import type { CancelPayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { capturableMinor, openAttempt, openOperations, openVoidsOfHold, type Payment, statusOf } from './payment.js';
import type { CancelRefusal } from './refusals.js';

/**
 * Gives back what is not captured. An intent needs no acquirer. An attempt that waits for the payer, or for an answer, is
 * reversed by its reference. After a partial capture the rest is released and the payment stays by what was captured:
 * CAPTURED.
 */
export const cancel = (payment: Payment, command: CancelPayment): Decision<PaymentEvent, CancelRefusal> => {
  const { at, voidId, reason, metadata } = command;
  if (payment.closed || payment.failed) return refuse({ code: 'payment_not_cancelable', status: statusOf(payment) });
  if (payment.operations.length === 0)
    return accept({ type: 'PaymentCanceled', at, voidId: null, releasedMinor: 0n, reason, metadata });
  if (openVoidsOfHold(payment).length > 0) return refuse({ code: 'payment_not_cancelable', status: statusOf(payment) });
  const ordered = { type: 'VoidRequested', at, voidId, cause: 'request', reason, metadata } as const;
  if (!payment.authorization) {
    const attempt = openAttempt(payment);
    // While the first answer is out, the request that asked for it goes on by itself.
    if (!attempt || attempt.state === 'requested')
      return refuse({ code: 'payment_not_cancelable', status: statusOf(payment) });
    return accept({ ...ordered, reverses: attempt.id, amountMinor: attempt.amountMinor });
  }
  const amountMinor = capturableMinor(payment);
  if (openOperations(payment, 'capture').length > 0)
    return refuse({ code: 'capture_in_progress', capturableMinor: amountMinor });
  return accept({ ...ordered, reverses: null, amountMinor });
};
