import type { AttemptId, CaptureId, Currency, MerchantId, PaymentId, RefundId, VoidId } from '@payflow/kernel';

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
  | RefundUnanswered;

export type PaymentEventType = PaymentEvent['type'];
