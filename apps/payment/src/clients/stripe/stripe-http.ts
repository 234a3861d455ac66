import { AsyncLocalStorage } from 'node:async_hooks';

import type { Stripe } from 'stripe';

import type { AuthorizeOperation, Operation, Payment } from '../../domain/payment.js';
import type { AcquirerHttp, Exchange } from '../acquirer-http.js';
import type { CardForwarder } from '../card-forwarder.js';

/** Which order the requests that the SDK makes now belong to. */
export interface StripeOrder {
  readonly payment: Payment;
  readonly operation: Operation;
  /** For all requests of the order together. */
  readonly deadlineMs: number;
}

/** What there is instead of an answer. The SDK hands it on as the `detail` of its connection error. */
export class NotAnsweredError extends Error {
  override readonly name = 'NotAnsweredError';

  constructor(readonly outcome: Extract<Exchange, { kind: 'failed' }>['outcome']) {
    // Without a `code`: by some codes the SDK would send again although it is told not to.
    super(outcome.kind);
  }
}

/** The one request that carries a card. */
const PATH_WITH_CARD = '/v1/payment_methods';
const NO_TIME_LEFT: Exchange = { kind: 'failed', outcome: { kind: 'not_sent', reason: 'acquirer_silent' } };

type Headers = Parameters<Stripe.HttpClient['makeRequest']>[4];

/**
 * The SDK's requests on our own connections, with our own deadline, once each. The request with the card goes to the vault
 * with placeholders in its form; the vault fills them in and sends it to Stripe. This process never has a card number.
 */
export class StripeHttp implements Stripe.HttpClient {
  private readonly orders = new AsyncLocalStorage<StripeOrder>();

  constructor(
    private readonly http: AcquirerHttp,
    private readonly cards: CardForwarder,
  ) {}

  getClientName(): string {
    return 'payflow';
  }

  /** Runs calls of the SDK on behalf of an order. */
  async runFor<Result>(order: StripeOrder, calls: () => Promise<Result>): Promise<Result> {
    return await this.orders.run(order, calls);
  }

  /** @throws NotAnsweredError */
  async makeRequest(
    host: string,
    port: string,
    path: string,
    method: string,
    headers: Headers,
    requestData: string,
    protocol: string,
  ): Promise<Stripe.HttpClientResponse> {
    const order = this.orders.getStore();
    if (!order) throw new Error(`invariant: ${method} ${path} belongs to no order`);
    const timeoutMs = Math.round(order.deadlineMs - performance.now());
    const exchange = await (timeoutMs <= 0
      ? NO_TIME_LEFT
      : path === PATH_WITH_CARD
        ? this.withCard(order, path, headers, requestData)
        : this.http.exchange(
            `${protocol}://${host}:${port}${path}`,
            { method: method === 'GET' ? 'GET' : 'POST', headers: textHeaders(headers), body: requestData || null },
            order.operation,
            timeoutMs,
          ));
    if (exchange.kind === 'failed') throw new NotAnsweredError(exchange.outcome);
    return responseOf(exchange.status, exchange.body);
  }

  private async withCard(order: StripeOrder, path: string, headers: Headers, form: string): Promise<Exchange> {
    const kept = Object.entries(textHeaders(headers)).filter(([name]) => FORWARDED_HEADERS.has(name));
    return await this.cards.forward(order.payment, authorizeOf(order), {
      path,
      headers: Object.fromEntries(kept),
      encoding: 'form',
      body: Object.fromEntries(new URLSearchParams(form)),
    });
  }
}

/** What Stripe needs to know; the rest of the SDK's headers describe this process and its connection. */
const FORWARDED_HEADERS = new Set(['authorization', 'stripe-version', 'idempotency-key']);

const authorizeOf = ({ operation }: StripeOrder): AuthorizeOperation => {
  if (operation.kind !== 'authorize') throw new Error(`invariant: ${operation.id} needs no card`);
  return operation;
};

const textHeaders = (headers: Headers): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(headers as Readonly<Record<string, unknown>>)
      .map(([name, value]) => [name.toLowerCase(), value] as const)
      .filter(([name]) => name !== 'content-length')
      .flatMap(([name, value]) =>
        typeof value === 'string' || typeof value === 'number' ? [[name, String(value)]] : [],
      ),
  );

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The SDK takes every JSON without an `error` for a success, also a proxy's 502. */
const responseOf = (status: number, body: unknown): Stripe.HttpClientResponse => {
  const isSuccess = status >= 200 && status < 300;
  return {
    getStatusCode: () => status,
    getHeaders: () => ({}),
    getRawResponse: () => ({}),
    toStream: () => {
      throw new Error('invariant: no answer is streamed');
    },
    toJSON: () =>
      isObject(body) && (isSuccess || isObject(body['error']))
        ? Promise.resolve(body)
        : Promise.resolve({ error: { type: 'api_error', message: `status ${String(status)} without Stripe's JSON` } }),
  };
};
