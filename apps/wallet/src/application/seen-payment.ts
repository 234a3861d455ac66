import type { PaymentResponse } from '@payflow/contracts';
import { unreachable } from '@payflow/kernel';

import type { SeenPayment } from '../domain/add.js';

/** A payment, as far as an addition depends on it. */
export const seenPayment = (payment: PaymentResponse, expectedMinor: bigint): SeenPayment => {
  const { paymentId } = payment;
  const { standing, reason } = standingOf(payment, expectedMinor);
  return { paymentId, standing, reason };
};

const standingOf = (payment: PaymentResponse, expectedMinor: bigint): Pick<SeenPayment, 'standing' | 'reason'> => {
  switch (payment.status) {
    case 'CAPTURED': {
      const isExact = BigInt(payment.capturedAmount) === expectedMinor && payment.refundedAmount === 0;
      return { standing: isExact ? 'taken' : 'taken_otherwise', reason: null };
    }
    case 'PARTIALLY_CAPTURED':
    case 'PARTIALLY_REFUNDED':
      return { standing: 'taken_otherwise', reason: null };
    case 'REFUNDED':
      return { standing: 'given_back', reason: null };
    case 'FAILED':
      return { standing: 'failed', reason: payment.lastError?.declineCode ?? payment.lastError?.code ?? null };
    case 'CANCELED':
      return { standing: 'failed', reason: 'payment_canceled' };
    case 'EXPIRED':
      return { standing: 'failed', reason: 'payment_expired' };
    case 'PENDING':
    case 'REQUIRES_ACTION':
    case 'IN_REVIEW':
    case 'PROCESSING':
    case 'AUTHORIZED':
      return { standing: 'open', reason: null };
    default:
      return unreachable(payment.status);
  }
};
