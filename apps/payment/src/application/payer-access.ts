import { Injectable } from '@nestjs/common';
import { type ConfirmIntentRequest, isStaff, type PayerView, type Principal } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { type Answer, Problem, type StoredAnswer } from '@payflow/service';

import type { Payment } from '../domain/payment.js';
import { findPayment, type PaymentRow, paymentRowOf } from '../store/payments.js';
import { AuthorizePayment } from './authorize-payment.js';
import { isClientSecret } from './client-secret.js';
import type { CommandRequest } from './command-request.js';
import { sees } from './ownership.js';
import { paymentAnswer, paymentView } from './payment-view.js';

/** A page that everybody can read has only what its payer brings along: the client secret of one payment. */
const needsSecret = (principal: Principal): boolean => !principal.scopes.includes('payments:write');

/** A person who pays for himself, not for a merchant whose member he is. */
const isCustomer = (principal: Principal): boolean =>
  principal.kind === 'user' && principal.merchantId === undefined && !isStaff(principal);

/** To whoever tries cards, the rules' no and the issuer's look alike. */
const asPayersHear = (lastError: PayerView['lastError']): PayerView['lastError'] =>
  lastError?.code.startsWith('fraud_') === true
    ? { ...lastError, code: 'payment_declined', message: 'The payment was declined.' }
    : lastError;

/** Without the merchant's fees, metadata and references. */
const payerViewOf = (row: PaymentRow): PayerView => {
  const { paymentId, status, amount, currency, description, nextAction, lastError } = paymentView(row);
  return { paymentId, status, amount, currency, description, nextAction, lastError: asPayersHear(lastError) };
};

const payerAnswer = (payment: Payment): Answer => ({
  ...paymentAnswer(payment, 200),
  body: payerViewOf(paymentRowOf(payment)),
});

/**
 * The browser of a payer, with the publishable key of the merchant's page, or with the payer's own token: then it is he who
 * confirms, and may pay from his wallet. A wrong secret and a payment that does not exist are answered alike, so that a key
 * tells nothing about payments.
 */
@Injectable()
export class PayerAccess {
  constructor(
    private readonly database: Database,
    private readonly authorization: AuthorizePayment,
  ) {}

  /** POST /payments/{id}/confirm @throws Problem payment_not_found, and those of authorizing an intent */
  async confirm(paymentId: string, request: CommandRequest<ConfirmIntentRequest>): Promise<StoredAnswer> {
    const { clientSecret, ...body } = request.body;
    const { merchant_id: merchantId } = await this.accessible(paymentId, request.principal, clientSecret);
    // Whoever has its secret may act on this one payment, as the page of its merchant.
    const principal = isCustomer(request.principal) ? { ...request.principal, merchantId } : request.principal;
    const command = { ...request, principal, body };
    return needsSecret(request.principal)
      ? await this.authorization.confirm(paymentId, command, payerAnswer)
      : await this.authorization.confirm(paymentId, command);
  }

  /** GET /payments/{id}/status @throws Problem payment_not_found */
  async status(paymentId: string, principal: Principal, clientSecret: string | undefined): Promise<PayerView> {
    const row = await this.accessible(paymentId, principal, clientSecret);
    return payerViewOf(row);
  }

  private async accessible(
    paymentId: string,
    principal: Principal,
    clientSecret: string | undefined,
  ): Promise<PaymentRow> {
    const row = await findPayment(this.database, paymentId);
    if (!row || !mayAsk(principal, row)) throw new Problem('payment_not_found');
    if (clientSecret === undefined && !needsSecret(principal)) return row;
    if (clientSecret === undefined || !isClientSecret(clientSecret, row.client_secret_hash))
      throw new Problem('payment_not_found');
    return row;
  }
}

/** A customer may pay what nobody in particular is to pay, if he has its secret. */
const mayAsk = (principal: Principal, { merchant_id: merchantId, user_id: userId }: PaymentRow): boolean =>
  (userId === null && isCustomer(principal)) || sees(principal, { merchantId, userId });
