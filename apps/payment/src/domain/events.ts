import type { AttemptId, CaptureId, Currency, MerchantId, PaymentId, RefundId, VoidId } from '@payflow/kernel';

import type { Failure, Metadata, PaymentMethod } from './payment.js';

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
}
export interface PaymentUpdated extends Happened, PaymentDetails {
  readonly type: 'PaymentUpdated';
}
export interface AuthorizationRequested extends Happened {
  readonly type: 'AuthorizationRequested';
  readonly attemptId: AttemptId;
  readonly acquirer: string;
  readonly amountMinor: bigint;
  readonly paymentMethod: PaymentMethod;
  readonly saleCaptureId: CaptureId | null;
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
  readonly amountMinor: bigint;
  readonly reason: string | null;
  readonly metadata: Metadata;
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
  | PaymentAuthorized
  | AuthorizationDeclined
  | PaymentFailed
  | AuthorizationUnanswered
  | CaptureRequested
  | PaymentCaptured
  | CaptureDeclined
  | CaptureUnanswered
  | VoidRequested
  | PaymentCanceled
  | VoidDeclined
  | VoidUnanswered
  | RefundRequested
  | RefundSucceeded
  | RefundFailed
  | RefundUnanswered;

export type PaymentEventType = PaymentEvent['type'];
