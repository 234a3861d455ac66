import type { DisputeStatus } from '@payflow/contracts';
import type {
  AttemptId,
  CaptureId,
  Currency,
  DisputeId,
  FeeTerms,
  MerchantId,
  PaymentId,
  RefundId,
  VoidId,
} from '@payflow/kernel';

import type { DisputeOrder } from './dispute.js';
import type { PaymentDetails } from './events.js';
import type { Judgement } from './judgement.js';
import type { Metadata, PaymentMethod } from './payment.js';

/** Commands carry all that a decision needs and a pure function may not fetch: ids, the time, the merchant's terms. */
interface Command {
  readonly at: Date;
}

export interface CreatePayment extends Command, PaymentDetails {
  readonly paymentId: PaymentId;
  readonly merchantId: MerchantId;
  readonly userId: string | null;
  readonly currency: Currency;
  readonly clientSecretHash: string | null;
  /** What a payer who confirms the intent agrees to: a sale, or a hold. */
  readonly capture: boolean;
}

/** Members left out stay as they are. */
export interface UpdatePayment extends Command {
  readonly changes: Partial<PaymentDetails>;
}

export interface AuthorizePayment extends Command {
  readonly attemptId: AttemptId;
  /** The acquirers that may be tried, in their order; at least one. */
  readonly route: readonly string[];
  readonly paymentMethod: PaymentMethod;
  /** The id of the capture that follows by itself (a sale), or null. */
  readonly saleCaptureId: CaptureId | null;
  /** What fraud says of it. Undefined in an installation without fraud: nobody is judged. */
  readonly judgement?: Judgement | undefined;
}

/** What an authorization needs that could not be given when the payment was put under review. */
export interface AuthorizeAfterReview extends Command {
  readonly attemptId: AttemptId;
  /** The acquirers that may be tried now. */
  readonly route: readonly string[];
  readonly saleCaptureId: CaptureId | null;
}

export interface DecideReview extends AuthorizeAfterReview {
  readonly reviewId: string | null;
  readonly outcome: 'ALLOW' | 'BLOCK';
  readonly decidedBy: string;
}

export interface JudgeAgain extends AuthorizeAfterReview {
  readonly judgement: Judgement;
}

export interface CapturePayment extends Command {
  readonly captureId: CaptureId;
  /** Null: all that is left. */
  readonly amountMinor: bigint | null;
  /** Releases what is left of the hold afterwards. */
  readonly final: boolean;
  readonly metadata: Metadata;
}

export interface CancelPayment extends Command {
  readonly voidId: VoidId;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

export interface RefundPayment extends Command {
  readonly refundId: RefundId;
  /** Null: all that is left. */
  readonly amountMinor: bigint | null;
  readonly reason: string | null;
  readonly metadata: Metadata;
}

/** Voids what is left of an authorization whose time is over. */
export interface ExpirePayment extends Command {
  readonly voidId: VoidId;
}

/** Ends an attempt that nobody can wait for any longer. */
export interface GiveUpAttempt extends Command {
  readonly operationId: string;
  readonly voidId: VoidId;
}

/** Hands an order to people: every inquiry has gone by, and nobody knows its end. */
export interface MarkStuck extends Command {
  readonly operationId: string;
  readonly inquiries: number;
}

/**
 * What is known of an operation at the acquirer.
 * `action_required`: it waits for the payer. `unanswered`: it may have had an effect. `not_sent`: it certainly had none.
 */
export type AcquirerOutcome =
  | { readonly kind: 'approved'; readonly acquirerReference: string }
  /** For less than was asked, which PayFlow does not take. */
  | { readonly kind: 'partially_approved'; readonly acquirerReference: string; readonly amountMinor: bigint }
  | { readonly kind: 'action_required'; readonly url: string; readonly expiresAt: Date }
  | {
      readonly kind: 'declined';
      readonly code: string;
      readonly declineCode: string | null;
      readonly adviceCode: string | null;
      readonly message: string;
      /** The acquirer could not process it and holds nothing: another acquirer may be tried. An issuer's no is none. */
      readonly technical: boolean;
    }
  | { readonly kind: 'unanswered'; readonly reason: string }
  | { readonly kind: 'not_sent'; readonly reason: string };

/** The acquirer's word on an operation, whoever brought it: the answer itself, an inquiry, a webhook. */
export interface RecordOutcome extends Command {
  readonly operationId: string;
  readonly outcome: AcquirerOutcome;
  /** An earlier try may have reached the acquirer. Then that this one was not sent proves nothing. */
  readonly perhapsSentBefore: boolean;
  readonly feeTerms: FeeTerms;
  /** When an authorization approved now ends. */
  readonly expiresAt: Date;
  /** For what may have to follow: the next attempt of the route, the reversal of an approval nobody wants. */
  readonly nextAttemptId: AttemptId;
  readonly reversalId: VoidId;
}

/** The merchant's answer to a dispute. */
export interface RespondToDispute extends Command {
  readonly disputeId: string;
  readonly response: DisputeOrder;
  /** Whether anything was written that could be submitted. */
  readonly hasEvidence: boolean;
}

/** How a dispute stands at the acquirer. */
export interface DisputeWord {
  readonly acquirerReference: string;
  readonly status: DisputeStatus;
  readonly amountMinor: bigint;
  readonly reason: string;
  readonly evidenceDueBy: Date;
}

/** The acquirer's word on a dispute of this payment. */
export interface RecordDispute extends Command {
  readonly acquirer: string;
  readonly word: DisputeWord;
  /** For a dispute that is not known yet: its id here, and what it costs the merchant. */
  readonly disputeId: DisputeId;
  readonly feeMinor: bigint;
  readonly feeReturnedWhenWon: boolean;
}
