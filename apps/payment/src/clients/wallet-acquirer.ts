import type { PaymentMethodType, WalletOrderRequest } from '@payflow/contracts';
import { minorToJson } from '@payflow/kernel';
import { currentContext, type Logger } from '@payflow/service';

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
import { outcomeOfAnswer, outcomeOfInquiry } from './acquirer-answer.js';
import { type AcquirerHttp, type Exchange, noteRefusedAccess } from './acquirer-http.js';
import type { Acquirer, WebhookMessage } from './acquirer-port.js';

export interface WalletAcquirerOptions {
  readonly url: string;
  readonly accessToken: () => Promise<string>;
  readonly timeoutMs: number;
}

/**
 * The wallet service as an acquirer (contracts: http/wallet-orders). An authorization holds money in the wallet, a capture
 * takes it, a void or a reversal gives it back, a refund puts it in. It sends no webhooks: it asks for a sync instead.
 */
export class WalletAcquirer implements Acquirer {
  readonly methods: ReadonlySet<PaymentMethodType> = new Set(['wallet']);

  constructor(
    private readonly options: WalletAcquirerOptions,
    private readonly http: AcquirerHttp,
    private readonly logger: Logger,
  ) {}

  async authorize(payment: Payment, operation: AuthorizeOperation): Promise<AcquirerOutcome> {
    const { merchantId, paymentId, description, paymentMethod } = payment;
    if (!paymentMethod?.wallet) throw new Error(`invariant: ${operation.id} names no wallet`);
    return await this.order(payment, operation, {
      operation: 'authorize',
      ...moneyOf(payment, operation),
      merchantId,
      paymentId,
      ...paymentMethod.wallet,
      ...(description === null ? {} : { description }),
    });
  }

  async capture(payment: Payment, operation: CaptureOperation): Promise<AcquirerOutcome> {
    const { final } = operation;
    return await this.order(payment, operation, { operation: 'capture', ...followUp(payment, operation), final });
  }

  async void(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, { operation: 'void', ...followUp(payment, operation) });
  }

  async reverse(payment: Payment, operation: VoidOperation): Promise<AcquirerOutcome> {
    if (operation.reverses === null) throw new Error(`invariant: ${operation.id} names no attempt to reverse`);
    const { merchantId, paymentId } = payment;
    return await this.order(payment, operation, {
      operation: 'reverse',
      ...moneyOf(payment, operation),
      originalReference: operation.reverses,
      merchantId,
      paymentId,
    });
  }

  async refund(payment: Payment, operation: RefundOperation): Promise<AcquirerOutcome> {
    return await this.order(payment, operation, { operation: 'refund', ...followUp(payment, operation) });
  }

  async inquire(payment: Payment, operation: Operation): Promise<InquiryAnswer> {
    const path = `/internal/wallet-orders/${encodeURIComponent(operation.id)}`;
    const exchange = await this.exchange('GET', path, undefined, operation);
    return exchange.kind === 'failed'
      ? { kind: 'no_answer', reason: exchange.outcome.kind === 'not_sent' ? exchange.outcome.reason : 'no_answer' }
      : byWallet(outcomeOfInquiry(exchange.status, exchange.body, operation, payment.currency));
  }

  parseWebhook(): WebhookMessage {
    return { kind: 'not_authentic', reason: 'the wallet service sends no webhooks' };
  }

  private async order(payment: Payment, operation: Operation, body: WalletOrderRequest): Promise<AcquirerOutcome> {
    const exchange = await this.exchange('POST', '/internal/wallet-orders', body, operation);
    noteRefusedAccess(this.logger, exchange, operation);
    if (exchange.kind === 'failed') return exchange.outcome;
    return byWallet(outcomeOfAnswer(exchange.status, exchange.body, operation, payment.currency));
  }

  private async exchange(
    method: 'GET' | 'POST',
    path: string,
    body: WalletOrderRequest | undefined,
    operation: Operation,
  ): Promise<Exchange> {
    const headers = await this.headers();
    // Without a token nothing was sent.
    if (headers === undefined) return { kind: 'failed', outcome: { kind: 'not_sent', reason: 'acquirer_unreachable' } };
    const { url, timeoutMs } = this.options;
    const request =
      body === undefined
        ? { method, headers }
        : { method, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return await this.http.exchange(`${url}${path}`, request, operation, timeoutMs);
  }

  private async headers(): Promise<Record<string, string> | undefined> {
    const { requestId, traceparent } = currentContext();
    try {
      return {
        authorization: `Bearer ${await this.options.accessToken()}`,
        ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
        ...(traceparent === undefined ? {} : { traceparent }),
      };
    } catch (error) {
      this.logger.warn({ err: error }, 'auth gives no token for the wallet service');
      return undefined;
    }
  }
}

const moneyOf = (
  { currency }: Payment,
  { id: reference, amountMinor }: Operation,
): { readonly reference: string; readonly amount: number; readonly currency: string } => ({
  reference,
  amount: minorToJson(amountMinor),
  currency,
});

/** An order below the payment's hold: that is what its authorization was answered with. */
const followUp = (
  payment: Payment,
  operation: Operation,
): ReturnType<typeof moneyOf> & { readonly holdId: `hld_${string}` } => {
  const { paymentId, authorization } = payment;
  if (!authorization) throw new Error(`invariant: ${paymentId} has no authorization to follow up`);
  return { ...moneyOf(payment, operation), holdId: authorization.acquirerReference as `hld_${string}` };
};

/** No card was declined. */
const byWallet = <Outcome extends AcquirerOutcome | InquiryAnswer>(outcome: Outcome): Outcome =>
  outcome.kind === 'declined' && outcome.code === 'card_declined' ? { ...outcome, code: 'wallet_declined' } : outcome;
