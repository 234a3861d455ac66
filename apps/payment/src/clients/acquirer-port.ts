import type { PaymentMethodType } from '@payflow/contracts';

import type { AcquirerOutcome } from '../domain/commands.js';
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
    };

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
