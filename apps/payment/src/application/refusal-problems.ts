import type { ProblemCode } from '@payflow/contracts';
import { type Json, minorToJson, unreachable } from '@payflow/kernel';
import { Problem, type ProblemOptions } from '@payflow/service';

import type { CommandRefusal, DisputeRefusal } from '../domain/refusals.js';

/** Forget one and it does not compile. */
const CODES = {
  amount_not_positive: 'validation_failed',
  payment_not_modifiable: 'payment_not_modifiable',
  payment_not_authorizable: 'payment_not_authorizable',
  payment_not_routable: 'payment_not_routable',
  payment_not_capturable: 'payment_not_capturable',
  authorization_expired: 'authorization_expired',
  capture_exceeds_authorization: 'capture_exceeds_authorization',
  capture_in_progress: 'capture_in_progress',
  payment_not_cancelable: 'payment_not_cancelable',
  payment_not_refundable: 'payment_not_refundable',
  refund_exceeds_captured: 'refund_exceeds_captured',
} as const satisfies Readonly<Record<CommandRefusal['code'], ProblemCode>>;

/** The figures a caller needs to do better, under the names that the problem's page uses. */
const extensionsOf = (refusal: CommandRefusal): Readonly<Record<string, Json>> => {
  switch (refusal.code) {
    case 'amount_not_positive':
    case 'payment_not_routable':
      return {};
    case 'capture_exceeds_authorization':
    case 'capture_in_progress':
      return { capturable: minorToJson(refusal.capturableMinor) };
    case 'refund_exceeds_captured':
      return { refundable: minorToJson(refusal.refundableMinor) };
    case 'authorization_expired':
      return { expiredAt: refusal.expiredAt.toISOString() };
    case 'payment_not_modifiable':
    case 'payment_not_authorizable':
    case 'payment_not_capturable':
    case 'payment_not_cancelable':
    case 'payment_not_refundable':
      return { paymentStatus: refusal.status };
    default:
      return unreachable(refusal);
  }
};

const AMOUNT_ERROR = { pointer: '/amount', code: 'too_small', message: 'must be a positive integer of minor units' };

/** A business "no" as the problem its caller gets. */
export const problemOfRefusal = (refusal: CommandRefusal): Problem => {
  const options: ProblemOptions = { extensions: extensionsOf(refusal) };
  return new Problem(
    CODES[refusal.code],
    refusal.code === 'amount_not_positive' ? { ...options, errors: [AMOUNT_ERROR] } : options,
  );
};

const DISPUTE_CODES = {
  dispute_unknown: 'dispute_not_found',
  dispute_not_open: 'dispute_not_open',
  dispute_evidence_missing: 'dispute_evidence_missing',
} as const satisfies Readonly<Record<DisputeRefusal['code'], ProblemCode>>;

/** The same for an answer to a dispute. */
export const problemOfDisputeRefusal = (refusal: DisputeRefusal): Problem =>
  new Problem(
    DISPUTE_CODES[refusal.code],
    refusal.code === 'dispute_not_open' ? { extensions: { disputeStatus: refusal.status } } : {},
  );
