import type { PaymentMethodType } from '@payflow/contracts';
import type { DisputeId } from '@payflow/kernel';

import type { AcquirerOutcome, DisputeWord } from '../domain/commands.js';
import type {
  AuthorizeOperation,
  CaptureOperation,
  Operation,
  Payment,
  RefundOperation,
  VoidOperation,
} from '../domain/payment.js';
import type { InquiryAnswer } from '../domain/saga.js';

/** A webhook as it arrived. The signature is over these bytes and no others. */
export interface WebhookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What an acquirer's webhook turned out to be. */
export type WebhookMessage =
  /** Nobody who knows the secret signed it, or too long ago: nothing in it may be believed. */
  | { readonly kind: 'not_authentic'; readonly reason: string }
  /** Authentic, and of no concern to any operation. */
  | { readonly kind: 'ignored'; readonly webhookId: string; readonly reason: string }
  | {
      readonly kind: 'news';
      /** The same for each delivery of the same message. */
      readonly webhookId: string;
      /** What it is about. How that stands is asked there: a webhook may be old, and messages overtake each other. */
      readonly operationId: string;
    }
  /** About a dispute, by the acquirer's id of it. */
  | { readonly kind: 'dispute_news'; readonly webhookId: string; readonly disputeReference: string };

/** A dispute as its acquirer tells it. Whether it is of a payment of ours is for the recorder to see. */
export interface ToldDispute extends DisputeWord {
  readonly paymentId: string;
  /** The acquirer's reference of the authorization. */
  readonly authorizationReference: string;
  readonly currency: string;
}

export type DisputeAnswer =
  | { readonly kind: 'told'; readonly dispute: ToldDispute }
  | { readonly kind: 'not_found' }
  | { readonly kind: 'no_answer'; readonly reason: string };

/** A change of a dispute, at its place in the acquirer's feed. It is news: how the dispute stands is asked about. */
export interface DisputeChange {
  readonly position: number;
  /** Null of an entry that does not say which dispute it is about, or where it stands. */
  readonly reference: string | null;
  /** As the acquirer writes it; null where it cannot be read. */
  readonly status: string | null;
}

/** What an acquirer says about disputes, where it says anything. None of it throws for what the far side does. */
export interface AcquirerDisputes {
  /** How it stands now. */
  inquire(reference: string): Promise<DisputeAnswer>;
  /** Under our id of the dispute, so that saying it twice is harmless. `evidence` null: it is accepted. */
  respond(
    reference: string,
    disputeId: DisputeId,
    evidence: Readonly<Record<string, string>> | null,
  ): Promise<DisputeAnswer>;
  /** What changed after a position, in order; undefined when it does not answer. */
  changesAfter(position: number): Promise<readonly DisputeChange[] | undefined>;
}

/**
 * An acquirer, whatever it speaks (docs/adr/0011). Every call is one request under the operation's id, so that making it
 * twice is harmless; none throws for what the far side does: silence and refusals are outcomes. Retries, breaker and
 * bulkhead are around it (AcquirerLines), not in it.
 */
export interface Acquirer {
  /** The payment methods it can be asked to authorize. */
  readonly methods: ReadonlySet<PaymentMethodType>;

  /** Holds the amount. How is in the payment's method: a card by way of the vault, a bank's page without one. */
  authorize(payment: Payment, operation: AuthorizeOperation): Promise<AcquirerOutcome>;
  capture(payment: Payment, operation: CaptureOperation): Promise<AcquirerOutcome>;
  /** Gives back what is left of the payment's authorization. */
  void(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome>;
  /** Undoes the attempt that the operation names, held or not, seen or not. */
  reverse(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome>;
  refund(payment: Payment, operation: RefundOperation): Promise<AcquirerOutcome>;

  /** How the order stands there now; asking has no effect. */
  inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer>;

  /** Believes nothing before the signature. */
  parseWebhook(request: WebhookRequest): WebhookMessage;
}
