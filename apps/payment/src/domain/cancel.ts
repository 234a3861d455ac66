import { accept, type Decision, refuse } from '@payflow/kernel';

import type { CancelPayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { capturableMinor, openOperations, type Payment, statusOf } from './payment.js';
import type { CancelRefusal } from './refusals.js';

/**
 * Gives back what is not captured. An intent needs no acquirer. After a partial capture the rest is released and the
 * payment stays by what was captured: CAPTURED.
 */
export const cancel = (payment: Payment, command: CancelPayment): Decision<PaymentEvent, CancelRefusal> => {
  const { at, voidId, reason, metadata } = command;
  if (payment.closed || payment.failed) return refuse({ code: 'payment_not_cancelable', status: statusOf(payment) });
  if (payment.operations.length === 0)
    return accept({ type: 'PaymentCanceled', at, voidId: null, releasedMinor: 0n, reason, metadata });
  if (!payment.authorization || openOperations(payment, 'void').length > 0)
    return refuse({ code: 'payment_not_cancelable', status: statusOf(payment) });
  const amountMinor = capturableMinor(payment);
  if (openOperations(payment, 'capture').length > 0)
    return refuse({ code: 'capture_in_progress', capturableMinor: amountMinor });
  return accept({ type: 'VoidRequested', at, voidId, amountMinor, reason, metadata });
};
