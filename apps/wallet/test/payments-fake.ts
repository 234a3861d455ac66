import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

import { newId } from '@payflow/kernel';

/** What becomes of the payments that are asked for next. */
export type PaymentCourse =
  'captured' | 'processing' | 'declined' | 'refused' | 'silent_with_effect' | 'silent_without';

interface Payment {
  readonly paymentId: string;
  status: string;
  readonly amount: number;
  readonly currency: string;
  readonly reference: string;
  readonly userId: string;
  readonly merchantId: string;
}

/** The payment service, as far as a wallet asks it: one payment for a key, for ever. */
export class PaymentsFake {
  course: PaymentCourse = 'captured';
  readonly payments = new Map<string, Payment>();
  readonly refunds = new Map<string, string>();
  private server: Server | undefined;
  url = '';

  async open(): Promise<void> {
    this.server = createServer((request, response) => void this.answer(request, response));
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
    const address = this.server.address();
    if (address === null || typeof address === 'string') throw new Error('invariant: a TCP server has a port');
    this.url = `http://127.0.0.1:${address.port}`;
  }

  async close(): Promise<void> {
    this.server?.closeAllConnections();
    this.server?.close();
    await Promise.resolve();
  }

  of(transactionId: string): Payment | undefined {
    return this.payments.get(transactionId);
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const send = (status: number, body: unknown): void => {
      const type = status < 400 ? 'application/json' : 'application/problem+json';
      response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
    };
    const path = new URL(request.url ?? '/', 'http://fake').pathname;
    const key = String(request.headers['idempotency-key'] ?? '');
    if (request.method === 'POST' && path === '/payments/authorize') {
      this.sell(key, JSON.parse(text) as Record<string, unknown>, send, () => request.socket.destroy());
    } else if (request.method === 'POST' && path.endsWith('/refund')) {
      this.refund(key, path.split('/')[2] ?? '', send);
    } else {
      this.read(path, new URL(request.url ?? '/', 'http://fake').searchParams, send);
    }
  }

  private sell(
    key: string,
    body: Record<string, unknown>,
    send: (status: number, body: unknown) => void,
    cut: () => void,
  ): void {
    if (this.course === 'silent_without' && !this.payments.has(key)) {
      cut();
      return;
    }
    if (this.course === 'refused' && !this.payments.has(key)) {
      send(422, problem(422, 'token_unusable'));
      return;
    }
    const known = this.payments.get(key);
    const payment = known ?? {
      paymentId: newId('pay'),
      status: { processing: 'PROCESSING', declined: 'FAILED' }[this.course as string] ?? 'CAPTURED',
      amount: Number(body['amount']),
      currency: String(body['currency']),
      reference: String(body['reference']),
      userId: String(body['userId']),
      merchantId: String(body['merchantId']),
    };
    this.payments.set(key, payment);
    if (this.course === 'silent_with_effect' && known === undefined) cut();
    else send(payment.status === 'PROCESSING' ? 202 : 201, shown(payment));
  }

  private refund(key: string, paymentId: string, send: (status: number, body: unknown) => void): void {
    this.refunds.set(key, paymentId);
    const payment = [...this.payments.values()].find((candidate) => candidate.paymentId === paymentId);
    if (payment !== undefined) payment.status = 'REFUNDED';
    send(200, {
      refundId: newId('ref'),
      paymentId,
      status: 'REFUNDED',
      refundStatus: 'SUCCEEDED',
      paymentStatus: 'REFUNDED',
      refundedAmount: payment?.amount ?? 0,
      currency: payment?.currency ?? 'USD',
      reason: null,
      metadata: {},
      createdAt: new Date().toISOString(),
    });
  }

  private read(path: string, query: URLSearchParams, send: (status: number, body: unknown) => void): void {
    const all = [...this.payments.values()];
    if (path === '/payments') {
      const data = all.filter(({ reference }) => reference === query.get('reference')).map(shown);
      send(200, { data, nextCursor: null });
      return;
    }
    const payment = all.find(({ paymentId }) => path === `/payments/${paymentId}`);
    if (payment === undefined) send(404, problem(404, 'payment_not_found'));
    else send(200, shown(payment));
  }
}

const problem = (status: number, code: string) => ({
  type: `http://fake/docs/problems/${code}`,
  title: code,
  status,
  code,
  requestId: newId('req'),
  docUrl: `http://fake/docs/problems/${code}`,
});

const shown = (payment: Payment) => {
  const captured = payment.status === 'CAPTURED' || payment.status === 'REFUNDED' ? payment.amount : 0;
  const refunded = payment.status === 'REFUNDED' ? payment.amount : 0;
  const at = new Date().toISOString();
  return {
    ...payment,
    authorizedAmount: captured,
    capturableAmount: 0,
    capturedAmount: captured,
    refundedAmount: refunded,
    refundableAmount: captured - refunded,
    disputedAmount: 0,
    chargedBackAmount: 0,
    disputeFeeAmount: 0,
    feeAmount: 0,
    netAmount: captured - refunded,
    description: null,
    statementDescriptor: null,
    returnUrl: null,
    paymentMethod: { type: 'card' },
    acquirer: 'sim',
    acquirerReference: null,
    lastError:
      payment.status === 'FAILED'
        ? { code: 'card_declined', declineCode: 'insufficient_funds', message: 'Declined.' }
        : null,
    nextAction: null,
    processing: null,
    metadata: {},
    version: 1,
    createdAt: at,
    updatedAt: at,
    authorizedAt: null,
    capturedAt: null,
    canceledAt: null,
    expiresAt: null,
    expiredAt: null,
  };
};
