import { Injectable } from '@nestjs/common';
import { type Decision, newId } from '@payflow/kernel';
import type { Tx } from '@payflow/postgres';

import type { AuthorizeAfterReview, DecideReview } from '../domain/commands.js';
import type { PaymentEvent } from '../domain/events.js';
import type { Judgement } from '../domain/judgement.js';
import { openReview, type Payment } from '../domain/payment.js';
import type { TimerRefusal } from '../domain/refusals.js';
import { decideReview, judgeAgain } from '../domain/review.js';
import type { Cause } from '../store/payment-events.js';
import { Commit } from './commit.js';
import { lockKnownPayment } from './load-payment.js';
import { RoutePayments, type Router } from './route-payments.js';
import { SendOrders } from './send-orders.js';

type Deciding = (payment: Payment, authorization: AuthorizeAfterReview) => Decision<PaymentEvent, TimerRefusal>;

/**
 * Ends what keeps a payment IN_REVIEW. What is let through is ordered as a request would have ordered it: the intent is
 * committed, and sent after that.
 */
@Injectable()
export class DecideReviews {
  constructor(
    private readonly commit: Commit,
    private readonly routing: RoutePayments,
    private readonly orders: SendOrders,
  ) {}

  /** Fetched before a transaction, so that it needs none of its own inside it. */
  async router(): Promise<Router> {
    return await this.routing.router();
  }

  /** @returns whether it was this that decided */
  async decide(
    tx: Tx,
    paymentId: string,
    decision: Pick<DecideReview, 'reviewId' | 'outcome' | 'decidedBy'>,
    router: Router,
    cause: Cause,
  ): Promise<boolean> {
    return await this.write(tx, paymentId, router, cause, (payment, authorization) =>
      decideReview(payment, { ...authorization, ...decision }),
    );
  }

  /** Of a payment that nobody could judge in time. @returns whether that was news */
  async judgeAgain(tx: Tx, paymentId: string, judgement: Judgement, router: Router, cause: Cause): Promise<boolean> {
    return await this.write(tx, paymentId, router, cause, (payment, authorization) =>
      judgeAgain(payment, { ...authorization, judgement }),
    );
  }

  private async write(tx: Tx, paymentId: string, router: Router, cause: Cause, deciding: Deciding): Promise<boolean> {
    const before = await lockKnownPayment(tx, paymentId);
    const attemptId = newId('att');
    const decision = deciding(before, {
      at: new Date(),
      attemptId,
      route: routeOf(before, router),
      saleCaptureId: openReview(before)?.sale ? newId('cap') : null,
    });
    if (!decision.ok) return false;
    const { payment } = await this.commit.write(tx, { before, events: decision.events, cause });
    if (payment.operations.length > 0)
      tx.onCommit(() => {
        this.orders.begin(payment, attemptId, cause);
      });
    return true;
  }
}

const routeOf = (payment: Payment, router: Router): readonly string[] =>
  payment.paymentMethod
    ? router({ ...payment, methodType: payment.paymentMethod.type, brand: payment.paymentMethod.brand })
    : [];
