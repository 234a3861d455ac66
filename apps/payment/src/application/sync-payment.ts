import { Injectable } from '@nestjs/common';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  type Claim,
  entityTag,
  Idempotency,
  InjectConfig,
  Problem,
  requireVersion,
  type StoredAnswer,
  storedAnswer,
} from '@payflow/service';

import { isOpen, type Operation, type Payment } from '../domain/payment.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { recoveryPlanOf } from '../store/payment-attempts.js';
import { paymentRowOf } from '../store/payments.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { lockKnownPayment, lockOwnPayment } from './load-payment.js';
import { paymentView } from './payment-view.js';
import { ResolveOrders } from './resolve-orders.js';

/** Of a payment with hundreds of refunds, the latest. */
const INQUIRIES_MAX = 20;

type Opening =
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  | { readonly kind: 'begun'; readonly claim: Claim; readonly payment: Payment };

/**
 * What the acquirer is asked about: every open order. Without one, what may still change by itself: an attempt that was
 * refused may turn out to be approved, and a refund that succeeded may fail.
 */
const inQuestion = ({ operations }: Payment): readonly Operation[] => {
  const open = operations.filter(isOpen);
  const changeable = operations.filter(({ kind }) => kind === 'authorize' || kind === 'refund');
  return (open.length > 0 ? open : changeable).slice(-INQUIRIES_MAX);
};

/** POST /payments/{id}/sync: asks the acquirer now, and does what follows from what it says. */
@Injectable()
export class SyncPayment {
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly orders: ResolveOrders,
    @InjectConfig() config: PaymentConfig,
  ) {
    this.leaseMs = takenLeaseMs(config);
  }

  async run(paymentId: string, request: CommandRequest<unknown>): Promise<StoredAnswer> {
    const opening = await this.database.transaction(async (tx) => await this.open(tx, paymentId, request));
    if (opening.kind === 'answered') return opening.answer;
    const cause = causeOf(request);
    await Promise.all(
      inQuestion(opening.payment).map(async ({ id }) => await this.orders.resolve(paymentId, id, cause)),
    );
    return await this.database.transaction(async (tx) => {
      const answer = storedAnswer(await answerOf(tx, await lockKnownPayment(tx, paymentId)));
      await this.idempotency.complete(tx, opening.claim, answer);
      return answer;
    });
  }

  /** Asking twice is harmless, so whoever takes a key over asks again. */
  private async open(tx: Tx, paymentId: string, request: CommandRequest<unknown>): Promise<Opening> {
    const identity = identityOf(this.idempotency, request);
    const options = { resourceId: paymentId, leaseMs: this.leaseMs, moneyMoving: false };
    const outcome = await this.idempotency.claim(tx, identity, options);
    if (outcome.kind === 'replay') return { kind: 'answered', answer: outcome.answer };
    const { claim } = outcome;
    try {
      const payment = await lockOwnPayment(tx, paymentId, request.principal);
      requireVersion(request.meta.ifMatch, payment.version);
      return { kind: 'begun', claim, payment };
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'payment_not_found') throw error;
      const answer = this.idempotency.storedProblem(error);
      await this.idempotency.complete(tx, claim, answer);
      return { kind: 'answered', answer };
    }
  }
}

const answerOf = async (tx: Tx, payment: Payment): Promise<Answer> => ({
  status: payment.operations.some(isOpen) ? 202 : 200,
  body: paymentView(paymentRowOf(payment), await recoveryPlanOf(tx, payment.paymentId)),
  headers: { etag: entityTag(payment.version) },
});
