import type { PaymentMethodType } from '@payflow/contracts';
import type { Logger } from '@payflow/service';
import { LRUCache } from 'lru-cache';
import { Stripe } from 'stripe';

import type { AcquirerOutcome } from '../../domain/commands.js';
import type {
  AuthorizeOperation,
  CaptureOperation,
  Operation,
  Payment,
  RefundOperation,
  VoidOperation,
} from '../../domain/payment.js';
import type { InquiryAnswer } from '../../domain/saga.js';
import type { Acquirer, WebhookMessage, WebhookRequest } from '../acquirer-port.js';
import { toStripeAmount } from './stripe-amount.js';
import type { StripeHttp } from './stripe-http.js';
import {
  isAccessRefused,
  isCaptured,
  isKeyTaken,
  outcomeOfCancel,
  outcomeOfCapture,
  outcomeOfError,
  outcomeOfIntent,
  outcomeOfRefund,
  PAYMENT,
  REFERENCE,
} from './stripe-outcome.js';

export interface StripeOptions {
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly apiBase: string;
  /** Public address of the gateway: where the payer comes back to. */
  readonly gatewayUrl: string;
  readonly timeoutMs: number;
}

const INTENTS_REMEMBERED_MAX = 10_000;
const REFUNDS_PER_PAGE = 100;
/** With the prefix of the account it must not be longer than 22. */
const DESCRIPTOR_LENGTH_MAX = 10;

/** Filled in by the vault, where a field belongs to the card by its name. Expiry dates become numbers there. */
const CARD_TEMPLATE = {
  number: '{{card.number}}',
  exp_month: '{{card.expMonth}}' as unknown as number,
  exp_year: '{{card.expYear}}' as unknown as number,
  cvc: '{{card.cvc}}',
};

/** Of an order that Stripe can do nothing with: nothing was sent. */
class UnsendableError extends Error {
  constructor(readonly outcome: AcquirerOutcome) {
    super(outcome.kind);
  }
}

/**
 * Stripe by its own library: payment intents with manual capture. Every request that moves money carries the operation's
 * id as idempotency key, and leaves that id on Stripe's object, by which it is found again (docs/adr/0011).
 */
export class StripeAcquirer implements Acquirer {
  readonly methods: ReadonlySet<PaymentMethodType> = new Set(['card']);
  private readonly stripe: Stripe;
  /** Attempt to intent, as far as this process happens to know: it spares a search, which may be behind by a minute. */
  private readonly intents = new LRUCache<string, string>({ max: INTENTS_REMEMBERED_MAX });

  constructor(
    private readonly options: StripeOptions,
    private readonly http: StripeHttp,
    private readonly logger: Logger,
  ) {
    const { protocol, hostname, port } = new URL(options.apiBase);
    const isPlain = protocol === 'http:';
    this.stripe = new Stripe(options.secretKey, {
      httpClient: http,
      protocol: isPlain ? 'http' : 'https',
      host: hostname,
      port: port || (isPlain ? 80 : 443),
      // Whether to repeat is decided by the payment's saga, which knows what an answer means for the payer.
      maxNetworkRetries: 0,
      telemetry: false,
    });
  }

  /**
   * Two requests: the card, which holds no money, and then the intent. Only the second carries our key, for a repetition has
   * another payment method (and no CVC): Stripe then says that the key was used, and the first answer is looked up.
   */
  async authorize(payment: Payment, operation: AuthorizeOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, async () => {
      const amount = amountOf(payment, operation);
      const paymentMethod = await this.paymentMethod(operation);
      if (typeof paymentMethod !== 'string') return await this.withoutCard(payment, operation, paymentMethod);
      try {
        const intent = await this.stripe.paymentIntents.create(
          {
            ...this.intentOf(payment, operation.id, amount),
            confirm: true,
            payment_method: paymentMethod,
            return_url: `${this.options.gatewayUrl}/payments/${payment.paymentId}/return`,
            payment_method_options: { card: { request_multicapture: 'if_available' } },
            ...descriptorOf(payment),
          },
          { idempotencyKey: operation.id },
        );
        this.intents.set(operation.id, intent.id);
        return outcomeOfIntent(intent, payment, operation);
      } catch (error) {
        if (!isKeyTaken(error)) throw error;
        const known = await this.findIntent(operation.id);
        return known ? outcomeOfIntent(known, payment, operation) : outcomeOfError(error, operation);
      }
    });
  }

  /**
   * A repetition whose card is refused by now says nothing of the first try, which may hold the money: that is looked up, and
   * where the search does not show it (yet), nobody knows.
   */
  private async withoutCard(
    payment: Payment,
    operation: AuthorizeOperation,
    refusal: AcquirerOutcome,
  ): Promise<AcquirerOutcome> {
    if (operation.state === 'requested' || refusal.kind !== 'declined') return refusal;
    const known = await this.findIntent(operation.id);
    return known ? outcomeOfIntent(known, payment, operation) : { kind: 'unanswered', reason: 'acquirer_conflict' };
  }

  async capture(payment: Payment, operation: CaptureOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, async () => {
      const amount = amountOf(payment, operation);
      const intent = await this.stripe.paymentIntents.capture(
        intentIdOf(payment),
        {
          amount_to_capture: amount,
          // The default releases the rest. Saying so where it is not wanted needs multicapture.
          ...(operation.final ? {} : { final_capture: false }),
          metadata: { [operation.id]: String(amount) },
        },
        { idempotencyKey: operation.id },
      );
      return outcomeOfCapture(intent, operation);
    });
  }

  async void(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, async () => await this.cancel(intentIdOf(payment), operation));
  }

  /**
   * Cancels the attempt's intent. Where none is found, takes the attempt's key with a request of its own, which cannot hold
   * anything: where that succeeds the attempt never arrived, and never will, since Stripe refuses its key from now on. The
   * search is behind by a minute and a key may be forgotten after a day, so each is believed where the other is not.
   */
  async reverse(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    const attemptId = operation.reverses;
    if (attemptId === null) throw new Error(`invariant: ${operation.id} names no attempt to reverse`);
    return await this.order(payment, operation, async () => {
      const known = (await this.findIntent(attemptId))?.id ?? (await this.takeKey(payment, operation, attemptId));
      return known === undefined
        ? { kind: 'unanswered', reason: 'acquirer_conflict' }
        : await this.cancel(known, operation);
    });
  }

  async refund(payment: Payment, operation: RefundOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, async () => {
      const refund = await this.stripe.refunds.create(
        {
          payment_intent: intentIdOf(payment),
          amount: amountOf(payment, operation),
          metadata: { [REFERENCE]: operation.id, [PAYMENT]: payment.paymentId },
        },
        { idempotencyKey: operation.id },
      );
      return outcomeOfRefund(refund);
    });
  }

  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    try {
      return await this.run(payment, operation, async () => await this.found(payment, operation));
    } catch (error) {
      this.note(error, operation);
      const outcome = outcomeOfError(error, operation);
      return { kind: 'no_answer', reason: 'reason' in outcome ? outcome.reason : 'acquirer_error' };
    }
  }

  parseWebhook({ headers, body }: WebhookRequest): WebhookMessage {
    let event: Stripe.Event;
    try {
      // Without a limit of age: it is only news, and what it is about is asked at Stripe.
      event = this.stripe.webhooks.constructEvent(
        body,
        headers['stripe-signature'] ?? '',
        this.options.webhookSecret,
        0,
      );
    } catch {
      // The SDK's error carries header and body.
      return { kind: 'not_authentic', reason: 'the signature does not fit' };
    }
    const object = objectOf(event);
    const operationId = object?.metadata?.[REFERENCE];
    if (!object || operationId === undefined) return { kind: 'ignored', webhookId: event.id, reason: event.type };
    if (object.object === 'payment_intent') this.intents.set(operationId, object.id);
    return { kind: 'news', webhookId: event.id, operationId };
  }

  private async order(
    payment: Payment,
    operation: Operation,
    calls: () => Promise<AcquirerOutcome>,
  ): Promise<AcquirerOutcome> {
    try {
      return await this.run(payment, operation, calls);
    } catch (error) {
      if (error instanceof UnsendableError) return error.outcome;
      this.note(error, operation);
      return outcomeOfError(error, operation);
    }
  }

  private async run<Result>(payment: Payment, operation: Operation, calls: () => Promise<Result>): Promise<Result> {
    const deadlineMs = performance.now() + this.options.timeoutMs;
    return await this.http.runFor({ payment, operation, deadlineMs }, calls);
  }

  /** Its id; or the outcome of an attempt that came no further: then no intent was asked for, and nothing is held. */
  private async paymentMethod(operation: AuthorizeOperation): Promise<string | AcquirerOutcome> {
    try {
      const { id } = await this.stripe.paymentMethods.create({ type: 'card', card: CARD_TEMPLATE });
      return id;
    } catch (error) {
      this.note(error, operation);
      const outcome = outcomeOfError(error, operation);
      return outcome.kind === 'unanswered' && outcome.reason !== 'vault_unreachable'
        ? { kind: 'not_sent', reason: 'acquirer_silent' }
        : outcome;
    }
  }

  private intentOf(payment: Payment, reference: string, amount: number): Stripe.PaymentIntentCreateParams {
    return {
      amount,
      currency: payment.currency.toLowerCase(),
      capture_method: 'manual',
      allowed_payment_method_types: ['card'],
      metadata: { [REFERENCE]: reference, [PAYMENT]: payment.paymentId },
    };
  }

  /** The intent that is to be canceled; undefined when there is one that cannot be found yet. */
  private async takeKey(payment: Payment, operation: VoidOperation, attemptId: string): Promise<string | undefined> {
    try {
      const { id } = await this.stripe.paymentIntents.create(
        this.intentOf(payment, attemptId, amountOf(payment, operation)),
        { idempotencyKey: attemptId },
      );
      return id;
    } catch (error) {
      if (!isKeyTaken(error)) throw error;
      return (await this.findIntent(attemptId))?.id;
    }
  }

  /** An intent that holds nothing any more is as good as canceled by this order. */
  private async cancel(intentId: string, operation: VoidOperation): Promise<AcquirerOutcome> {
    try {
      const intent = await this.stripe.paymentIntents.cancel(intentId, {}, { idempotencyKey: operation.id });
      return outcomeOfCancel(intent, operation) ?? { kind: 'unanswered', reason: 'unintelligible_answer' };
    } catch (error) {
      const isRefusal = error instanceof Stripe.errors.StripeInvalidRequestError && !isAccessRefused(error);
      if (!isRefusal) throw error;
      const intent = await this.stripe.paymentIntents.retrieve(intentId);
      return outcomeOfCancel(intent, operation) ?? outcomeOfError(error, operation);
    }
  }

  private async found(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    switch (operation.kind) {
      case 'authorize': {
        const intent = await this.findIntent(operation.id);
        return intent ? outcomeOfIntent(intent, payment, operation) : { kind: 'not_found' };
      }
      case 'capture': {
        const intent = await this.stripe.paymentIntents.retrieve(intentIdOf(payment));
        return isCaptured(intent, operation) ? outcomeOfCapture(intent, operation) : { kind: 'not_found' };
      }
      case 'void': {
        const intent =
          operation.reverses === null
            ? await this.stripe.paymentIntents.retrieve(intentIdOf(payment))
            : await this.findIntent(operation.reverses);
        return (intent && outcomeOfCancel(intent, operation)) ?? { kind: 'not_found' };
      }
      case 'refund': {
        // To the last page: one that is overlooked would be given a second time, once its key is forgotten.
        for await (const refund of this.stripe.refunds.list({
          payment_intent: intentIdOf(payment),
          limit: REFUNDS_PER_PAGE,
        }))
          if (refund.metadata?.[REFERENCE] === operation.id) return outcomeOfRefund(refund);
        return { kind: 'not_found' };
      }
    }
  }

  /** As it stands now. The search only says which it is: what it shows may be a minute old. */
  private async findIntent(attemptId: string): Promise<Stripe.PaymentIntent | undefined> {
    const remembered = this.intents.get(attemptId);
    if (remembered !== undefined) return await this.stripe.paymentIntents.retrieve(remembered);
    const { data } = await this.stripe.paymentIntents.search({
      query: `metadata['${REFERENCE}']:'${attemptId}'`,
      limit: 1,
    });
    const [hit] = data;
    if (!hit) return undefined;
    this.intents.set(attemptId, hit.id);
    return await this.stripe.paymentIntents.retrieve(hit.id);
  }

  /** Never the error itself: it carries what was sent and answered. */
  private note(error: unknown, { id: operationId, acquirer }: Operation): void {
    if (!(error instanceof Stripe.errors.StripeError)) {
      this.logger.error({ err: error, operationId, acquirer }, 'an order for Stripe failed in this process');
      return;
    }
    const { type, code, statusCode, requestId } = error;
    const facts = { type, code, statusCode, requestId, operationId, acquirer };
    if (isAccessRefused(error)) this.logger.error(facts, 'the acquirer refuses access: check address and credentials');
    else this.logger.warn(facts, 'Stripe did not do the order');
  }
}

const intentIdOf = ({ paymentId, authorization }: Payment): string => {
  if (!authorization) throw new Error(`invariant: ${paymentId} has no authorization to follow up`);
  return authorization.acquirerReference;
};

/** @throws UnsendableError where Stripe has no unit so small: another acquirer may, a hold that is there does not */
const amountOf = ({ currency }: Payment, operation: Operation): number => {
  const amount = toStripeAmount(operation.amountMinor, currency);
  if (amount !== undefined) return amount;
  throw new UnsendableError(
    operation.kind === 'authorize'
      ? { kind: 'not_sent', reason: 'amount_not_representable' }
      : {
          kind: 'declined',
          code: 'acquirer_refused',
          declineCode: 'amount_not_representable',
          adviceCode: 'do_not_try_again',
          message: `Stripe takes no such amount of ${currency}.`,
          technical: false,
        },
  );
};

/** https://docs.stripe.com/get-started/account/statement-descriptors: Latin letters, at least one, without < > \ ' " *. */
const descriptorOf = ({ statementDescriptor }: Payment): { readonly statement_descriptor_suffix?: string } => {
  const suffix = (statementDescriptor ?? '')
    .replaceAll(/[^\x20-\x7e]|[<>\\'"*]/g, '')
    .trim()
    .slice(0, DESCRIPTOR_LENGTH_MAX)
    .trim();
  return /[A-Za-z]/.test(suffix) ? { statement_descriptor_suffix: suffix } : {};
};

/** What an event is about, where it is about an order of ours. */
const objectOf = (event: Stripe.Event): Stripe.PaymentIntent | Stripe.Refund | undefined => {
  switch (event.type) {
    case 'payment_intent.amount_capturable_updated':
    case 'payment_intent.canceled':
    case 'payment_intent.payment_failed':
    case 'payment_intent.processing':
    case 'payment_intent.requires_action':
    case 'payment_intent.succeeded':
    case 'refund.created':
    case 'refund.failed':
    case 'refund.updated':
      return event.data.object;
    default:
      return undefined;
  }
};
