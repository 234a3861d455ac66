import { chargedBackMinor, disputedMinor, disputeFeeMinor } from './dispute.js';
import {
  authorizedMinor,
  capturableMinor,
  capturedMinor,
  type Payment,
  pendingCaptureMinor,
  pendingRefundMinor,
  refundableMinor,
  refundedMinor,
} from './payment.js';

/**
 * What must hold for every payment at every moment. Each is used three times: in the property tests, in the audit, and
 * as a CHECK of the `payments` table that names it.
 */
export const INVARIANTS = {
  /** Counting captures under way, no more is taken than was held. */
  captured_within_authorized: (payment: Payment): boolean =>
    capturedMinor(payment) + pendingCaptureMinor(payment) <= authorizedMinor(payment),
  /** Counting refunds under way, no more is given back than was taken. */
  refunded_within_captured: (payment: Payment): boolean =>
    refundedMinor(payment) + pendingRefundMinor(payment) <= capturedMinor(payment),
  fee_within_captured: (payment: Payment): boolean => payment.feeMinor <= capturedMinor(payment),
  amounts_not_negative: (payment: Payment): boolean =>
    [
      payment.amountMinor,
      authorizedMinor(payment),
      capturedMinor(payment),
      pendingCaptureMinor(payment),
      capturableMinor(payment),
      refundedMinor(payment),
      pendingRefundMinor(payment),
      refundableMinor(payment),
      payment.feeMinor,
      disputedMinor(payment.disputes),
      chargedBackMinor(payment.disputes),
      disputeFeeMinor(payment.disputes),
    ].every((amount) => amount >= 0n),
  /** Authorized once, for what was asked, or not at all. */
  authorized_once: (payment: Payment): boolean =>
    authorizedMinor(payment) === (payment.authorization ? payment.amountMinor : 0n),
} as const satisfies Readonly<Record<string, (payment: Payment) => boolean>>;

/** The names of those that do not hold. */
export const violatedInvariants = (payment: Payment): readonly string[] =>
  Object.entries(INVARIANTS)
    .filter(([, holds]) => !holds(payment))
    .map(([name]) => name);
