import { Controller } from '@nestjs/common';
import { type Envelope, FRAUD_EVENTS } from '@payflow/contracts';
import { isId } from '@payflow/kernel';
import { type Delivery, inContextOf, PoisonError, Subscription } from '@payflow/messaging';
import type { Tx } from '@payflow/postgres';
import { currentContext, Logger } from '@payflow/service';
import type { z } from 'zod';

import { DecideReviews } from '../application/decide-reviews.js';
import { loadPayment } from '../application/load-payment.js';
import type { Router } from '../application/route-payments.js';

/** Names the consumer group and its inbox. Never renamed, or every event would be applied again. */
export const REVIEWS_CONSUMER = 'payment.reviews';
export const REVIEWS_TOPICS = ['fraud.decided'] as const;

type Decided = z.infer<(typeof FRAUD_EVENTS)['decided']['payload']>;

/** What people, or fraud's deadline, have decided about payments under review. */
@Controller()
export class FraudDecisionsController {
  constructor(
    private readonly reviews: DecideReviews,
    private readonly logger: Logger,
  ) {}

  /** What the rules said at once was the answer to payment's own question; only what came later is news. */
  @Subscription({ consumer: REVIEWS_CONSUMER, kind: 'fraud', ordered: false, topics: REVIEWS_TOPICS })
  async decide(deliveries: readonly Delivery[], tx: Tx): Promise<void> {
    const decided = deliveries.flatMap((delivery) => {
      const decision = reviewDecisionIn(delivery.envelope);
      return decision ? [{ delivery, decision }] : [];
    });
    if (decided.length === 0) return;
    const router = await this.reviews.router();
    // In the order of the payments: nobody who locks several waits in a circle.
    const sorted = decided.toSorted((a, b) => (a.decision.paymentId < b.decision.paymentId ? -1 : 1));
    for (const { delivery, decision } of sorted)
      await inContextOf(delivery, async () => {
        await this.apply(tx, decision, router);
      });
  }

  private async apply(tx: Tx, decision: Decided, router: Router): Promise<void> {
    const { paymentId, reviewId, outcome, decidedBy } = decision;
    if (outcome === 'REVIEW') throw new PoisonError('a review was decided with REVIEW');
    const payment = await loadPayment(tx, paymentId);
    if (!payment || payment.fraud === null) {
      this.missing(decision);
      return;
    }
    const cause = { requestId: currentContext().requestId ?? 'review', principalId: decidedBy };
    const isNews = await this.reviews.decide(tx, paymentId, { reviewId, outcome, decidedBy }, router, cause);
    if (!isNews) this.logger.info({ paymentId, reviewId, outcome }, 'a review had ended before it was decided');
  }

  /**
   * Fraud was asked, and the payment has not come to be: not yet, or the request died before it was written. An approval
   * is tried again, so that a slow request does not lose it; a refusal of nothing is nothing.
   */
  private missing({ paymentId, reviewId, outcome }: Decided): void {
    if (outcome === 'ALLOW') throw new Error(`${paymentId} was approved by ${reviewId ?? ''}, but is not there (yet)`);
    this.logger.info({ paymentId, reviewId }, 'a payment was refused that never came to be');
  }
}

const reviewDecisionIn = (envelope: Envelope): Decided | undefined => {
  if (envelope.type !== FRAUD_EVENTS.decided.type) throw new PoisonError(`payment does not know ${envelope.type}`);
  const parsed = FRAUD_EVENTS.decided.payload.safeParse(envelope.payload);
  if (!parsed.success) throw new PoisonError(`the payload is not that of ${envelope.type}`, { cause: parsed.error });
  // Wallets are judged too; their subjects are transactions.
  return parsed.data.stage === 'review' && isId('pay', parsed.data.paymentId) ? parsed.data : undefined;
};
