import { Injectable } from '@nestjs/common';
import {
  type AuthorizeIntentRequest,
  type AuthorizePaymentRequest,
  type ConfirmIntentRequest,
  type SwappedCard,
  swappedCardIn,
} from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, Problem, requireVersion, type StoredAnswer } from '@payflow/service';

import { authorizationRefusal, authorize } from '../domain/authorize.js';
import { create } from '../domain/create.js';
import type { PaymentEvent } from '../domain/events.js';
import { fold } from '../domain/evolve.js';
import { initialPayment, type Payment } from '../domain/payment.js';
import { update } from '../domain/update.js';
import type { MethodCheck } from '../processors/payment-processor.js';
import { ProcessorFactory } from '../processors/processor-factory.js';
import { findPayment } from '../store/payments.js';
import { AcquirerCommand, type Intent } from './acquirer-command.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { loadPayment, lockOwnPayment } from './load-payment.js';
import { NewPayments } from './new-payments.js';
import { merchantFor, sees } from './ownership.js';
import { paymentAnswer } from './payment-view.js';
import { problemOfRefusal } from './refusal-problems.js';
import { RoutePayments, type Router } from './route-payments.js';

/** POST /payments/authorize, and POST /payments/{id}/authorize and /process for an intent. */
@Injectable()
export class AuthorizePayment {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly command: AcquirerCommand,
    private readonly processors: ProcessorFactory,
    private readonly routing: RoutePayments,
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
    // Asked before the transaction, judged inside it: a repetition is answered even if its token is used by now.
    const payer = { merchantId, userId: body.userId ?? null, ...confirmationOf(request) };
    const check = await this.processors.check(body.paymentMethod, payer);
    const router = await this.routing.router();
    return await this.command.run({
      name: 'authorize',
      identity: identityOf(this.idempotency, request),
      cause: causeOf(request),
      resourceId: paymentId,
      decide: () => {
        const created = create(this.newPayments.factsOf(paymentId, merchantId, body));
        if (!created.ok) throw problemOfRefusal(created.refusal);
        return Promise.resolve(
          intentOf(initialPayment, created.events, check, router, this.isSale(body, body.capture)),
        );
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
    const check = await this.checkFor(paymentId, request);
    const router = await this.routing.router();
    return await this.command.run({
      name: 'authorize',
      identity: identityOf(this.idempotency, request),
      cause: causeOf(request),
      resourceId: paymentId,
      decide: async (tx) => {
        const payment = await lockOwnPayment(tx, paymentId, principal);
        requireVersion(meta.ifMatch, payment.version);
        // Without a check there was no such payment a moment ago; a payment cannot come to be in between.
        if (!check) throw new Problem('payment_not_found');
        const { capture = payment.capture, returnUrl } = body;
        return intentOf(payment, withReturnUrl(payment, returnUrl), check, router, this.isSale(body, capture));
      },
      locate: locateAuthorization,
      answer,
    });
  }

  private isSale({ paymentMethod }: Pick<IntentAuthorization, 'paymentMethod'>, capture: boolean): boolean {
    return capture || this.processors.processorFor(paymentMethod.type).paidAtOnce;
  }

  /** Undefined for a payment that the caller does not see: the transaction will say so. */
  private async checkFor(
    paymentId: string,
    request: CommandRequest<IntentAuthorization>,
  ): Promise<MethodCheck | undefined> {
    const row = await findPayment(this.database, paymentId);
    if (!row) return undefined;
    const payer = { merchantId: row.merchant_id, userId: row.user_id, ...confirmationOf(request) };
    return sees(request.principal, payer) ? await this.processors.check(request.body.paymentMethod, payer) : undefined;
  }
}

/** Who asks, as far as a payment method depends on it. */
const confirmationOf = ({
  meta,
  principal,
}: CommandRequest<unknown>): {
  readonly confirmedBy: string | null;
  readonly swappedCard: SwappedCard | undefined;
} => ({
  confirmedBy: principal.kind === 'user' ? principal.id : null,
  swappedCard: meta.swappedCard === undefined ? undefined : swappedCardIn(meta.swappedCard),
});

type IntentAuthorization = AuthorizeIntentRequest & Pick<ConfirmIntentRequest, 'returnUrl'>;

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
const intentOf = (
  before: Payment,
  created: readonly PaymentEvent[],
  check: MethodCheck,
  router: Router,
  sale: boolean,
): Intent => {
  const payment = fold(created, before);
  const refusal = authorizationRefusal(payment);
  if (refusal) throw problemOfRefusal(refusal);
  if (!check.usable) throw check.problem;
  const attemptId = newId('att');
  const { paymentMethod } = check;
  const route = router({ ...payment, methodType: paymentMethod.type, brand: paymentMethod.brand });
  const saleCaptureId = sale ? newId('cap') : null;
  const decision = authorize(payment, { at: new Date(), attemptId, route, paymentMethod, saleCaptureId });
  if (!decision.ok) throw problemOfRefusal(decision.refusal);
  return { before, events: [...created, ...decision.events], firstOperationId: attemptId };
};

/** A payment has one authorization: its first operation. */
const locateAuthorization = async (tx: Tx, paymentId: string): Promise<Omit<Intent, 'events'>> => {
  const before = await loadPayment(tx, paymentId);
  const firstOperationId = before?.operations[0]?.id;
  if (!before || firstOperationId === undefined)
    throw new Error(`invariant: ${paymentId} was claimed without an intent`);
  return { before, firstOperationId };
};
