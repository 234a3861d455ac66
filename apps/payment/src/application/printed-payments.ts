import { Injectable } from '@nestjs/common';
import type {
  AuthorizePaymentRequest,
  PaymentStatus,
  PrintedPaymentAnswer,
  PrintedPaymentRequest,
} from '@payflow/contracts';
import { currencyOf, isId, majorFromMinor, minorToJson } from '@payflow/kernel';
import { type Answer, minorOfWritten, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import type { Payment } from '../domain/payment.js';
import { AuthorizePayment } from './authorize-payment.js';
import type { CommandRequest } from './command-request.js';
import { ExternalParties } from './external-parties.js';
import { paymentAnswer, viewOf } from './payment-view.js';

/** POST /payments as the requirement documents print it: a sale of a card in one call, in their words (checklist C3 to C6). */
@Injectable()
export class PrintedPayments {
  constructor(
    private readonly authorization: AuthorizePayment,
    private readonly parties: ExternalParties,
  ) {}

  async run({ principal, meta, body }: CommandRequest<PrintedPaymentRequest>): Promise<StoredAnswer> {
    const request = { principal, meta: withKeyOf(body, meta), body: this.saleOf(body) };
    return await this.authorization.create(request, printedAnswer);
  }

  private saleOf(body: PrintedPaymentRequest): AuthorizePaymentRequest {
    const { user_id: user, merchant_id: merchant, metadata, payment_method: paymentMethod } = body;
    const merchantId = merchant === undefined ? undefined : this.parties.merchant(merchant, 'merchant_id');
    if (merchantId !== undefined && !isId('mer', merchantId)) throw new Error(`invariant: ${merchantId} is a merchant`);
    return {
      amount: minorToJson(minorOfWritten(body.amount, knownCurrency(body.currency))),
      currency: body.currency,
      paymentMethod,
      capture: true,
      ...(merchantId === undefined ? {} : { merchantId }),
      ...(user === undefined ? {} : { userId: this.parties.user(user, 'user_id') }),
      ...(metadata === undefined ? {} : { metadata }),
    };
  }
}

const knownCurrency = (code: string): NonNullable<ReturnType<typeof currencyOf>> => {
  const currency = currencyOf(code);
  if (currency === undefined) throw new Error(`invariant: ${code} was checked`);
  return currency;
};

/** @throws Problem validation_failed when header and body name different keys */
const withKeyOf = ({ idempotency_key: key }: PrintedPaymentRequest, meta: RequestMeta): RequestMeta => {
  if (key === undefined) return meta;
  if (meta.idempotencyKey !== undefined && meta.idempotencyKey !== key)
    throw new Problem('validation_failed', {
      errors: [{ pointer: '/idempotency_key', code: 'contradiction', message: 'is not the key of the header' }],
    });
  return { ...meta, idempotencyKey: key };
};

const PRINTED_STATUS: Readonly<Record<PaymentStatus, PrintedPaymentAnswer['status']>> = {
  PENDING: 'initiated',
  PROCESSING: 'processing',
  REQUIRES_ACTION: 'processing',
  IN_REVIEW: 'processing',
  // Of a sale: its capture is still to come.
  AUTHORIZED: 'processing',
  PARTIALLY_CAPTURED: 'completed',
  CAPTURED: 'completed',
  PARTIALLY_REFUNDED: 'completed',
  REFUNDED: 'completed',
  CANCELED: 'failed',
  EXPIRED: 'failed',
  FAILED: 'failed',
};

const printedAnswer = (payment: Payment): Answer => {
  const view = viewOf(payment);
  const status = PRINTED_STATUS[view.status];
  const body: PrintedPaymentAnswer = {
    payment_id: view.paymentId,
    status,
    state: view.status,
    user_id: view.userId,
    merchant_id: view.merchantId,
    amount: majorFromMinor(payment),
    currency: view.currency,
    next_action: view.nextAction && { type: 'redirect', redirect_url: view.nextAction.redirectUrl },
    error: view.lastError,
    created_at: view.createdAt,
  };
  return { ...paymentAnswer(payment, 201), status: status === 'processing' ? 202 : 201, body };
};
