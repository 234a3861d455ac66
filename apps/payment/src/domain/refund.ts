import { accept, type Decision, refuse } from '@payflow/kernel';

import type { RefundPayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import { capturedMinor, type Payment, refundableMinor, statusOf } from './payment.js';
import type { RefundRefusal } from './refusals.js';

/** Gives back (part of) what was captured. Refunds under way count as given. */
export const refund = (payment: Payment, command: RefundPayment): Decision<PaymentEvent, RefundRefusal> => {
  if (command.amountMinor !== null && command.amountMinor <= 0n) return refuse({ code: 'amount_not_positive' });
  if (capturedMinor(payment) === 0n) return refuse({ code: 'payment_not_refundable', status: statusOf(payment) });
  const refundable = refundableMinor(payment);
  const amountMinor = command.amountMinor ?? refundable;
  if (refundable === 0n || amountMinor > refundable)
    return refuse({ code: 'refund_exceeds_captured', refundableMinor: refundable });
  return accept({
    type: 'RefundRequested',
    at: command.at,
    refundId: command.refundId,
    amountMinor,
    reason: command.reason,
    metadata: command.metadata,
  });
};
