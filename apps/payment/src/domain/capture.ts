import { accept, type Decision, refuse } from '@payflow/kernel';

import type { CapturePayment } from './commands.js';
import type { PaymentEvent } from './events.js';
import {
  authorizedMinor,
  type CaptureOperation,
  capturableMinor,
  capturedMinor,
  openOperations,
  openVoidsOfHold,
  type Operation,
  type Payment,
  statusOf,
} from './payment.js';
import type { CaptureRefusal } from './refusals.js';

const isFinalCapture = (operation: Operation): operation is CaptureOperation =>
  operation.kind === 'capture' && operation.final;

/**
 * Takes (part of) what is held. The amount is committed as pending before the acquirer hears of it, so captures that
 * run at once see each other. A final capture waits for those under way: it releases the rest, and nobody knows yet
 * how much that is.
 */
export const capture = (payment: Payment, command: CapturePayment): Decision<PaymentEvent, CaptureRefusal> => {
  if (command.amountMinor !== null && command.amountMinor <= 0n) return refuse({ code: 'amount_not_positive' });
  const left = authorizedMinor(payment) - capturedMinor(payment);
  if (!payment.authorization || payment.closed || left === 0n || openVoidsOfHold(payment).length > 0)
    return refuse({ code: 'payment_not_capturable', status: statusOf(payment) });
  const { expiresAt } = payment.authorization;
  if (command.at >= expiresAt) return refuse({ code: 'authorization_expired', expiredAt: expiresAt });

  const underWay = openOperations(payment, 'capture');
  const capturable = capturableMinor(payment);
  const amountMinor = command.amountMinor ?? capturable;
  if (amountMinor > left) return refuse({ code: 'capture_exceeds_authorization', capturableMinor: capturable });
  if (
    capturable === 0n ||
    amountMinor > capturable ||
    underWay.some(isFinalCapture) ||
    (command.final && underWay.length > 0)
  )
    return refuse({ code: 'capture_in_progress', capturableMinor: capturable });
  return accept({
    type: 'CaptureRequested',
    at: command.at,
    captureId: command.captureId,
    amountMinor,
    final: command.final,
    metadata: command.metadata,
  });
};
