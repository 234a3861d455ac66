import colors from 'picocolors';

import { type Call, type Connection, expectSuccess } from './connection.ts';
import { printable } from './printable.ts';
import { facts, type Shown, table } from './shown.ts';

export interface PaymentAnswer {
  readonly paymentId: string;
  readonly status: string;
  readonly amount?: number;
  readonly currency?: string;
  readonly authorizedAmount?: number;
  readonly capturedAmount?: number;
  readonly refundedAmount?: number;
  readonly lastError?: { readonly code: string; readonly message?: string } | null;
  readonly nextAction?: { readonly url?: string } | null;
}

export interface PayOptions {
  readonly amount: number;
  readonly currency: string;
  readonly card: string;
  readonly capture: boolean;
  readonly reference?: string;
  readonly key?: string;
}

/** Any date that is not over, and any code: what happens is in the number of a test card. */
export const cardOf = (number: string) => ({
  number: number.replaceAll(/[ -]/g, ''),
  expMonth: 12,
  expYear: new Date().getUTCFullYear() + 5,
  cvc: number.startsWith('3') ? '1234' : '123',
});

/** Authorizes a payment with a test card, and captures it. */
export const authorize = async (call: Call, options: PayOptions): Promise<PaymentAnswer> =>
  expectSuccess<PaymentAnswer>(
    await call(
      'POST',
      '/payments/authorize',
      {
        amount: options.amount,
        currency: options.currency,
        paymentMethod: { type: 'card', card: cardOf(options.card) },
        capture: options.capture,
        ...(options.reference === undefined ? {} : { reference: options.reference }),
      },
      options.key,
    ),
  );

export const pay = async ({ asMerchant }: Connection, options: PayOptions): Promise<Shown> => {
  const payment = await authorize(asMerchant, options);
  return shownPayment(payment, payment.status === 'FAILED');
};

export const getPayment = async ({ asMerchant }: Connection, paymentId: string): Promise<Shown> =>
  shownPayment(expectSuccess<PaymentAnswer>(await asMerchant('GET', pathOf(paymentId))));

export const capturePayment = async (
  { asMerchant }: Connection,
  paymentId: string,
  options: { readonly amount?: number; readonly key?: string },
): Promise<Shown> =>
  shownPayment(
    expectSuccess<PaymentAnswer>(
      await asMerchant('POST', `${pathOf(paymentId)}/capture`, amountOf(options), options.key),
    ),
  );

export const refundPayment = async (
  { asMerchant }: Connection,
  paymentId: string,
  options: { readonly amount?: number; readonly key?: string },
): Promise<Shown> => {
  const path = `${pathOf(paymentId)}/refund`;
  const refund = expectSuccess<{ refundId: string; status: string; refundedAmount?: number }>(
    await asMerchant('POST', path, amountOf(options), options.key),
  );
  return {
    json: refund,
    text: facts({ refund: refund.refundId, status: refund.status, refunded: refund.refundedAmount }),
    failed: refund.status === 'FAILED',
  };
};

interface TimelineLine {
  readonly at: string;
  readonly kind: string;
  readonly service: string;
  readonly id: string;
  readonly summary: string;
}

/** As the operator: staff see every merchant's. */
export const timelineOfPayment = async ({ asOperator }: Connection, paymentId: string): Promise<Shown> => {
  const timeline = expectSuccess<{ data: readonly TimelineLine[]; missing: readonly string[] }>(
    await asOperator('GET', `${pathOf(paymentId)}/timeline`),
  );
  const rows = timeline.data.map(({ at, service, kind, summary, id }) => [at, service, kind, summary, id]);
  const missing = printable(timeline.missing.join(', '));
  const gap = missing === '' ? '' : `\n${colors.yellow(`Did not answer: ${missing}`)}`;
  return { json: timeline, text: table(['at', 'service', 'kind', 'what', 'id'], rows) + gap };
};

const pathOf = (paymentId: string): string => `/payments/${encodeURIComponent(paymentId)}`;

const amountOf = ({ amount }: { readonly amount?: number }): { readonly amount?: number } =>
  amount === undefined ? {} : { amount };

const shownPayment = (payment: PaymentAnswer, failed = false): Shown => ({
  json: payment,
  text: facts({
    payment: payment.paymentId,
    status: payment.status,
    authorized: payment.authorizedAmount,
    captured: payment.capturedAmount,
    refunded: payment.refundedAmount,
    currency: payment.currency,
    ...(payment.lastError === undefined || payment.lastError === null ? {} : { error: payment.lastError.code }),
    ...(payment.nextAction?.url === undefined ? {} : { 'the payer goes to': payment.nextAction.url }),
  }),
  failed,
});
