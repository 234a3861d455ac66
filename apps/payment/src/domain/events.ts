import type {
  AttemptId,
  CaptureId,
  Currency,
  DisputeId,
  MerchantId,
  PaymentId,
  RefundId,
  VoidId,
} from '@payflow/kernel';

import type { DisputeEnd, DisputeOrder } from './dispute.js';
import type { FraudCheck } from './judgement.js';
import type { Failure, Metadata, PaymentMethod, VoidCause } from './payment.js';

/** What may be changed before the payment is authorized. */
export interface PaymentDetails {
  readonly amountMinor: bigint;
  readonly reference: string | null;
  readonly description: string | null;
  readonly statementDescriptor: string | null;
  readonly returnUrl: string | null;
  readonly metadata: Metadata;
}

interface Happened {
  readonly at: Date;
}

export interface PaymentCreated extends Happened, PaymentDetails {
  readonly type: 'PaymentCreated';
  readonly paymentId: PaymentId;
  readonly merchantId: MerchantId;
  readonly userId: string | null;
  readonly currency: Currency;
  readonly clientSecretHash: string | null;
  readonly capture: boolean;
}
export interface PaymentUpdated extends Happened, PaymentDetails {
  readonly type: 'PaymentUpdated';
}
export interface AuthorizationRequested extends Happened {
  readonly type: 'AuthorizationRequested';
  readonly attemptId: AttemptId;
  readonly acquirer: string;
  /** All acquirers that may be tried, in their order. */
  readonly route: readonly string[];
  readonly amountMinor: bigint;
  readonly paymentMethod: PaymentMethod;
  readonly saleCaptureId: CaptureId | null;
}
/** The acquirer waits for the payer: a 3-D Secure challenge, the page of his bank. */
export interface ActionRequired extends Happened {
  readonly type: 'ActionRequired';
  readonly attemptId: AttemptId;
  readonly url: string;
  readonly expiresAt: Date;
}
export interface PaymentAuthorized extends Happened {
  readonly type: 'PaymentAuthorized';
  readonly attemptId: AttemptId;
  readonly amountMinor: bigint;
  readonly acquirerReference: string;
  readonly expiresAt: Date;
}
/** An attempt ended in a no. Whether the payment ends with it is a decision of its own: another acquirer may be tried. */
export interface AuthorizationDeclined extends Happened {
  readonly type: 'AuthorizationDeclined';
  readonly attemptId: AttemptId;
  readonly failure: Failure;
  /** False when the request certainly never reached the acquirer. */
  readonly reached: boolean;
}
export interface PaymentFailed extends Happened {
  readonly type: 'PaymentFailed';
  readonly attemptId: AttemptId;
  readonly failure: Failure;
}
export interface AuthorizationUnanswered extends Happened {
  readonly type: 'AuthorizationUnanswered';
  readonly attemptId: AttemptId;
  readonly reason: string;
}
/**
 * The acquirer approved what the payment has no use for (any more): `late_success` after the attempt was given up,
 * `partial_approval` for less than was asked. A reversal is ordered with it; the record of the attempt stands.
 */
export interface ApprovalUnwanted extends Happened {
  readonly type: 'ApprovalUnwanted';
  readonly attemptId: AttemptId;
  readonly cause: 'late_success' | 'partial_approval';
  readonly acquirerReference: string;
  readonly amountMinor: bigint;
}
/** The acquirer confirmed that it holds nothing under the attempt, and will not. */
export interface AttemptReversed extends Happened {
  readonly type: 'AttemptReversed';
  readonly voidId: VoidId;
  readonly attemptId: AttemptId;
}
/** Every inquiry has gone by. People look at it; inquiries go on. */
export interface PaymentStuck extends Happened {
  readonly type: 'PaymentStuck';
  readonly operationId: string;
  readonly inquiries: number;
}
export interface CaptureRequested extends Happened {
  readonly type: 'CaptureRequested';
  readonly captureId: CaptureId;
  readonly amountMinor: bigint;
  readonly final: boolean;
  readonly metadata: Metadata;
}
export interface PaymentCaptured extends Happened {
  readonly type: 'PaymentCaptured';
  readonly captureId: CaptureId;
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  /** What the capture took off the hold: the amount, and the rest with the last capture. */
  readonly releasedMinor: bigint;
  readonly final: boolean;
  readonly acquirerReference: string;
}
export interface CaptureDeclined extends Happened {
  readonly type: 'CaptureDeclined';
  readonly captureId: CaptureId;
  readonly failure: Failure;
}
export interface CaptureUnanswered extends Happened {
  readonly type: 'CaptureUnanswered';
  readonly captureId: CaptureId;
  readonly reason: string;
}
export interface VoidRequested extends Happened {
  readonly type: 'VoidRequested';
  readonly voidId: VoidId;
  readonly cause: VoidCause;
  /** The attempt that is undone by its reference; null: what is left of the authorization. */
  readonly reverses: AttemptId | null;
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly metadata: Metadata;
}
/** The authorization's time was over, and the acquirer confirmed the void of what was not captured. */
export interface PaymentExpired extends Happened {
  readonly type: 'PaymentExpired';
  readonly voidId: VoidId;
  readonly releasedMinor: bigint;
}
export interface PaymentCanceled extends Happened {
  readonly type: 'PaymentCanceled';
  /** Null for an intent: no acquirer had been asked for anything. */
  readonly voidId: VoidId | null;
  readonly releasedMinor: bigint;
  readonly reason: string | null;
  readonly metadata: Metadata;
}
export interface VoidDeclined extends Happened {
  readonly type: 'VoidDeclined';
  readonly voidId: VoidId;
  readonly failure: Failure;
}
export interface VoidUnanswered extends Happened {
  readonly type: 'VoidUnanswered';
  readonly voidId: VoidId;
  readonly reason: string;
}
export interface RefundRequested extends Happened {
  readonly type: 'RefundRequested';
  readonly refundId: RefundId;
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly metadata: Metadata;
}
export interface RefundSucceeded extends Happened {
  readonly type: 'RefundSucceeded';
  readonly refundId: RefundId;
  readonly amountMinor: bigint;
  readonly acquirerReference: string;
}
export interface RefundFailed extends Happened {
  readonly type: 'RefundFailed';
  readonly refundId: RefundId;
  readonly amountMinor: bigint;
  readonly failure: Failure;
  /** It had succeeded before: what was given back is taken back. */
  readonly hadSucceeded: boolean;
}
export interface RefundUnanswered extends Happened {
  readonly type: 'RefundUnanswered';
  readonly refundId: RefundId;
  readonly reason: string;
}

/** Told before any acquirer is asked: by fraud, or by the merchant's policy where fraud did not answer in time. */
export interface FraudDecided extends Happened, FraudCheck {
  readonly type: 'FraudDecided';
  readonly paymentMethod: PaymentMethod;
}
/** The payment waits for people, or, without an id, until fraud can judge it. */
export interface ReviewOpened extends Happened {
  readonly type: 'ReviewOpened';
  readonly reviewId: string | null;
  readonly decideBy: Date;
  /** Whether the authorization, should it come to one, is followed by its capture. */
  readonly sale: boolean;
}
export interface ReviewClosed extends Happened {
  readonly type: 'ReviewClosed';
  readonly reviewId: string | null;
  readonly outcome: 'ALLOW' | 'BLOCK';
  /** `usr_…`, `deadline`, or `rules` where only fraud had been missing. */
  readonly decidedBy: string;
}
/** It failed without an acquirer having been asked. */
export interface PaymentRejected extends Happened {
  readonly type: 'PaymentRejected';
  readonly failure: Failure;
}
/** A settlement took in what had happened to the payment since it was last settled. Its status is what it was. */
export interface PaymentSettled extends Happened {
  readonly type: 'PaymentSettled';
  readonly settlementId: string;
  readonly acquirer: string;
  readonly bank: string;
  readonly grossMinor: bigint;
  readonly feeMinor: bigint;
  readonly netMinor: bigint;
  readonly balanceTransactionIds: readonly string[];
}

/** The payer disputes (a part of) the payment at his bank: the acquirer took it back. */
export interface DisputeOpened extends Happened {
  readonly type: 'DisputeOpened';
  readonly disputeId: DisputeId;
  readonly acquirer: string;
  /** The acquirer's id of the dispute. */
  readonly acquirerReference: string;
  readonly amountMinor: bigint;
  readonly feeMinor: bigint;
  readonly reason: string;
  readonly evidenceDueBy: Date;
}
/** The merchant has decided how to answer. The acquirer is told under the dispute's id. */
export interface DisputeResponseOrdered extends Happened {
  readonly type: 'DisputeResponseOrdered';
  readonly disputeId: DisputeId;
  readonly response: DisputeOrder;
}
/** The acquirer has the evidence. */
export interface DisputeEvidenceSubmitted extends Happened {
  readonly type: 'DisputeEvidenceSubmitted';
  readonly disputeId: DisputeId;
}
export interface DisputeClosed extends Happened {
  readonly type: 'DisputeClosed';
  readonly disputeId: DisputeId;
  readonly outcome: DisputeEnd;
  readonly feeReturnedMinor: bigint;
}

/** Everything that can happen to a payment, in past tense. Stored for ever: a member is added, never changed. */
export type PaymentEvent =
  | PaymentCreated
  | PaymentUpdated
  | AuthorizationRequested
  | ActionRequired
  | PaymentAuthorized
  | AuthorizationDeclined
  | PaymentFailed
  | AuthorizationUnanswered
  | ApprovalUnwanted
  | AttemptReversed
  | PaymentStuck
  | CaptureRequested
  | PaymentCaptured
  | CaptureDeclined
  | CaptureUnanswered
  | VoidRequested
  | PaymentCanceled
  | PaymentExpired
  | VoidDeclined
  | VoidUnanswered
  | RefundRequested
  | RefundSucceeded
  | RefundFailed
  | RefundUnanswered
  | FraudDecided
  | ReviewOpened
  | ReviewClosed
  | PaymentRejected
  | PaymentSettled
  | DisputeOpened
  | DisputeResponseOrdered
  | DisputeEvidenceSubmitted
  | DisputeClosed;

export type PaymentEventType = PaymentEvent['type'];
