import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { ServiceClient } from '@payflow/clients';
import {
  type AuthorizePaymentRequest,
  paymentPageSchema,
  type PaymentResponse,
  paymentSchema,
  refundResultSchema,
  WALLET_MERCHANT_ID,
} from '@payflow/contracts';
import { InjectConfig } from '@payflow/service';

import type { WalletConfig } from '../wallet.config.js';
import { WalletCalls } from './service-calls.js';

/** Longer than payment waits for an acquirer before it says 202 itself. */
export const PAYMENT_TIMEOUT_MS = 15_000;
const READ_TIMEOUT_MS = 5_000;
const PAGE = 100;
/** A merchant may use our references as his own; nobody writes a thousand of one. */
const PAGES_MAX = 10;

/** The payment service, as somebody who adds money needs it. Every call may throw ServiceUnavailableError or RemoteProblem. */
@Injectable()
export class PaymentsClient implements OnApplicationShutdown {
  private readonly client: ServiceClient;

  constructor(@InjectConfig() config: WalletConfig, calls: WalletCalls) {
    this.client = new ServiceClient({ service: 'payment', url: config.PAYMENT_URL, accessToken: calls.serviceToken });
  }

  /** A sale for PayFlow's wallet merchant; the same transaction again is answered with the same payment. */
  async sell(
    transactionId: string,
    payment: Omit<AuthorizePaymentRequest, 'merchantId' | 'capture' | 'reference'>,
  ): Promise<PaymentResponse> {
    return await this.client.request({
      method: 'POST',
      path: '/payments/authorize',
      idempotencyKey: transactionId,
      body: { ...payment, merchantId: WALLET_MERCHANT_ID, capture: true, reference: transactionId },
      timeoutMs: PAYMENT_TIMEOUT_MS,
      answer: paymentSchema,
    });
  }

  /** A sale for a merchant, by the wallet that the method names; the same transaction again is answered with the same payment. */
  async pay(transactionId: string, payment: Omit<AuthorizePaymentRequest, 'capture'>): Promise<PaymentResponse> {
    return await this.client.request({
      method: 'POST',
      path: '/payments/authorize',
      idempotencyKey: transactionId,
      body: { ...payment, capture: true },
      timeoutMs: PAYMENT_TIMEOUT_MS,
      answer: paymentSchema,
    });
  }

  /** Lets it ask its acquirer, which may be the wallets themselves, how it stands. */
  async sync(paymentId: string, idempotencyKey: string): Promise<PaymentResponse> {
    return await this.client.request({
      method: 'POST',
      path: `/payments/${paymentId}/sync`,
      idempotencyKey,
      timeoutMs: PAYMENT_TIMEOUT_MS,
      answer: paymentSchema,
    });
  }

  async read(paymentId: string): Promise<PaymentResponse> {
    return await this.client.request({
      method: 'GET',
      path: `/payments/${paymentId}`,
      timeoutMs: READ_TIMEOUT_MS,
      answer: paymentSchema,
    });
  }

  /** The payment of a transaction, where there is one. */
  async find(transactionId: string): Promise<PaymentResponse | undefined> {
    let cursor: string | undefined;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const { data, nextCursor } = await this.client.request({
        method: 'GET',
        path: '/payments',
        query: { reference: transactionId, limit: PAGE, cursor },
        timeoutMs: READ_TIMEOUT_MS,
        answer: paymentPageSchema,
      });
      const own = data.find(({ merchantId }) => merchantId === WALLET_MERCHANT_ID);
      if (own !== undefined || nextCursor === null) return own;
      cursor = nextCursor;
    }
    throw new Error(`too many payments have the reference ${transactionId}`);
  }

  /** All that is left of it; the same transaction again is answered with the same refund. */
  async refund(transactionId: string, paymentId: string, reason: string): Promise<void> {
    await this.client.request({
      method: 'POST',
      path: `/payments/${paymentId}/refund`,
      idempotencyKey: `${transactionId}:refund`,
      body: { reason },
      timeoutMs: PAYMENT_TIMEOUT_MS,
      answer: refundResultSchema,
    });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.client.close();
  }
}
