import type { DisputeStatus, PaymentStatus } from '@payflow/contracts';

import type { AcquirerOutcome } from './commands.js';
import type { OperationState } from './payment.js';

/** Why a command is refused: facts, with the figures that the caller needs to do better. */
export type AmountRefusal = { readonly code: 'amount_not_positive' };
export type UpdateRefusal = AmountRefusal | { readonly code: 'payment_not_modifiable'; readonly status: PaymentStatus };
export type AuthorizeRefusal =
  | { readonly code: 'payment_not_authorizable'; readonly status: PaymentStatus }
  /** No acquirer takes such a payment. */
  | { readonly code: 'payment_not_routable' };
export type CaptureRefusal =
  | AmountRefusal
  | { readonly code: 'payment_not_capturable'; readonly status: PaymentStatus }
  | { readonly code: 'authorization_expired'; readonly expiredAt: Date }
  | { readonly code: 'capture_exceeds_authorization'; readonly capturableMinor: bigint }
  | { readonly code: 'capture_in_progress'; readonly capturableMinor: bigint };
export type CancelRefusal =
  | { readonly code: 'payment_not_cancelable'; readonly status: PaymentStatus }
  | { readonly code: 'capture_in_progress'; readonly capturableMinor: bigint };
export type RefundRefusal =
  | AmountRefusal
  | { readonly code: 'payment_not_refundable'; readonly status: PaymentStatus }
  | { readonly code: 'refund_exceeds_captured'; readonly refundableMinor: bigint };
/** Not the caller's fault but news for people: the far end contradicts what is recorded, and nothing is overwritten. */
export type OutcomeRefusal =
  | { readonly code: 'operation_unknown'; readonly operationId: string }
  | {
      readonly code: 'outcome_contradicts_record';
      readonly operationId: string;
      readonly recorded: OperationState;
      readonly reported: Exclude<AcquirerOutcome['kind'], 'unanswered' | 'action_required' | 'not_sent'>;
    };

export type DisputeRefusal =
  | { readonly code: 'dispute_unknown' }
  /** It was answered, it has ended, or its deadline is over. */
  | { readonly code: 'dispute_not_open'; readonly status: DisputeStatus }
  | { readonly code: 'dispute_evidence_missing' };

/** As with an outcome: nothing is overwritten, and people look at it. */
export type DisputeWordRefusal = {
  readonly code: 'dispute_contradicts_record';
  readonly disputeId: string;
  readonly recorded: DisputeStatus;
  readonly reported: DisputeStatus;
  readonly recordedMinor: bigint;
  readonly reportedMinor: bigint;
};

/** A timer that found nothing to do: somebody was faster. */
export type TimerRefusal = { readonly code: 'nothing_due' };

/** Every refusal of a caller's command. */
export type CommandRefusal = UpdateRefusal | AuthorizeRefusal | CaptureRefusal | CancelRefusal | RefundRefusal;
