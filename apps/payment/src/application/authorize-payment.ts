import { Injectable } from '@nestjs/common';
import type { AuthorizeIntentRequest, AuthorizePaymentRequest, ConfirmIntentRequest } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  Idempotency,
  Problem,
  type RequestIdentity,
  requireVersion,
  type StoredAnswer,
} from '@payflow/service';

import { authorizationRefusal, authorize } from '../domain/authorize.js';
import { create } from '../domain/create.js';
import type { PaymentEvent } from '../domain/events.js';
import { fold } from '../domain/evolve.js';
import { initialPayment, type Payment } from '../domain/payment.js';
import { update } from '../domain/update.js';
import { findPayerEmail } from '../store/payer-emails.js';
import { rememberPayer } from '../store/payment-reviews.js';
import { findPayment, type PaymentRow } from '../store/payments.js';
import { AcquirerCommand, type Intent } from './acquirer-command.js';
import { type AuthorizationCheck, AuthorizationChecks } from './authorization-checks.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { loadPayment, lockOwnPayment } from './load-payment.js';
import { NewPayments } from './new-payments.js';
import { merchantFor, sees } from './ownership.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';

/** POST /payments/authorize, and POST /payments/{id}/authorize and /process for an intent. */
@Injectable()
export class AuthorizePayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly command: AcquirerCommand,
    private readonly checks: AuthorizationChecks,
    private readonly newPayments: NewPayments,
  ) {}

  /** Creates the payment and authorizes it. */
  async create(
    request: CommandRequest<AuthorizePaymentRequest>,
    answer: (payment: Payment) => Answer = (payment) => paymentAnswer(payment, 201),
  ): Promise<StoredAnswer> {
    const { body, principal } = request;
    const merchantId = merchantFor(principal, body.merchantId);
    const paymentId = newId('pay');
    const identity = identityOf(this.idempotency, request);
    const { amount, currency, userId = null } = body;
    const asked = { paymentId, merchantId, userId, amountMinor: BigInt(amount), currency, version: 0 };
    // Asked before the transaction, judged inside it: a repetition is answered even if its token is used by now.
    const check = await this.checks.of(asked, request, identity);
    return await this.command.run({
      name: 'authorize',
      identity,
      cause: causeOf(request),
      resourceId: paymentId,
      decide: async () => {
        const created = create(this.newPayments.factsOf(paymentId, merchantId, body));
        if (!created.ok) throw problemOfRefusal(created.refusal);
        return await intentOf(initialPayment, created.events, check, body.capture);
      },
      locate: locateAuthorization,
      answer,
    });
  }

  /** Authorizes an intent. A `returnUrl` given now takes the place of the intent's. */
  async confirm(
    paymentId: string,
    request: CommandRequest<IntentAuthorization>,
    answer: (payment: Payment) => Answer = (payment) => paymentAnswer(payment, 200),
  ): Promise<StoredAnswer> {
    const { body, principal, meta } = request;
    const identity = identityOf(this.idempotency, request);
    const check = await this.checkOf(paymentId, request, identity);
    return await this.command.run({
      name: 'authorize',
      identity,
      cause: causeOf(request),
      resourceId: paymentId,
      decide: async (tx) => {
        const payment = await lockOwnPayment(tx, paymentId, principal);
        requireVersion(meta.ifMatch, payment.version);
        // Without a check there was no such payment a moment ago; a payment cannot come to be in between.
        if (!check) throw new Problem('payment_not_found');
        const { capture = payment.capture, returnUrl } = body;
        return await intentOf(payment, withReturnUrl(payment, returnUrl), check, capture);
      },
      locate: locateAuthorization,
      answer,
    });
  }

  /** Undefined for a payment that the caller does not see: the transaction will say so. */
  private async checkOf(
    paymentId: string,
    request: CommandRequest<IntentAuthorization>,
    identity: RequestIdentity,
  ): Promise<AuthorizationCheck | undefined> {
    const [row, payerEmail] = await Promise.all([
      findPayment(this.database, paymentId),
      findPayerEmail(this.database, paymentId),
    ]);
    if (!row || !sees(request.principal, { merchantId: row.merchant_id, userId: row.user_id })) return undefined;
    const asked = {
      paymentId,
      merchantId: row.merchant_id,
      userId: row.user_id,
      amountMinor: row.amount,
      currency: row.currency,
      version: Number(row.version),
      payerEmail,
    };
    return await this.checks.of(asked, request, identity, mayBeAuthorized(row, request.meta.ifMatch));
  }
}

type IntentAuthorization = AuthorizeIntentRequest & Pick<ConfirmIntentRequest, 'returnUrl'>;

/** A guess by the row, for whom it would be in vain to ask. The transaction decides. */
const mayBeAuthorized = (row: PaymentRow, ifMatch: number | undefined): boolean =>
  row.status === 'PENDING' && row.payment_method === null && (ifMatch === undefined || BigInt(ifMatch) === row.version);

/** Nothing where the payment can no longer be changed: that it cannot be authorized is told then. */
const withReturnUrl = (payment: Payment, returnUrl: string | undefined): readonly PaymentEvent[] => {
  if (returnUrl === undefined) return [];
  const decision = update(payment, { at: new Date(), changes: { returnUrl } });
  return decision.ok ? decision.events : [];
};

/**
 * The payment's state is judged before the method, so that a second try at a paid payment hears that, and not that its
 * token is used.
 *
 * @throws Problem of the refusal, or of the method that cannot be used
 */
const intentOf = async (
  before: Payment,
  created: readonly PaymentEvent[],
  { method, router, paidAtOnce, payer, judgementOn }: AuthorizationCheck,
  capture: boolean,
): Promise<Intent> => {
  const payment = fold(created, before);
  const refusal = authorizationRefusal(payment);
  if (refusal) throw problemOfRefusal(refusal);
  if (!method.usable) throw method.problem;
  const judgement = await judgementOn({ ...payment, version: before.version });
  const attemptId = newId('att');
  const { paymentMethod } = method;
  const route = router({ ...payment, methodType: paymentMethod.type, brand: paymentMethod.brand });
  const saleCaptureId = capture || paidAtOnce ? newId('cap') : null;
  const decision = authorize(payment, { at: new Date(), attemptId, route, paymentMethod, saleCaptureId, judgement });
  if (!decision.ok) throw problemOfRefusal(decision.refusal);
  const intent = { before, events: [...created, ...decision.events], firstOperationId: attemptId };
  const isAskedAgain = judgement?.outcome === 'REVIEW' && judgement.reviewId === null;
  if (!isAskedAgain) return intent;
  return { ...intent, besides: async (tx) => await rememberPayer(tx, payment.paymentId, payer) };
};

/** A payment has one authorization: its first operation. */
const locateAuthorization = async (tx: Tx, paymentId: string): Promise<Pick<Intent, 'before' | 'firstOperationId'>> => {
  const before = await loadPayment(tx, paymentId);
  const firstOperationId = before?.operations[0]?.id;
  if (!before || firstOperationId === undefined)
    throw new Error(`invariant: ${paymentId} was claimed without an intent`);
  return { before, firstOperationId };
};
