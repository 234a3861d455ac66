import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { crashPoint, Logger, runInContext } from '@payflow/service';

import { type DueReview, takeUpDueReviews } from '../store/payment-reviews.js';
import { DecideReviews } from './decide-reviews.js';
import { JudgePayments } from './judge-payments.js';
import { loadPayment } from './load-payment.js';

const POLL_MS = 1_000;
const REVIEWS_MAX = 32;
const CAUSE = { requestId: 'review', principalId: 'svc_payment' };

/**
 * The timers of reviews: asks fraud again about payments that it could not judge in time, and fails those for which nobody
 * has decided. Timers are rows, so a restart forgets nothing, and any number of instances may run this.
 */
@Injectable()
export class WatchReviews implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly judging: JudgePayments,
    private readonly reviews: DecideReviews,
    private readonly logger: Logger,
  ) {
    this.loop = new Loop('reviews', logger, POLL_MS, async () => (await this.pass()) === REVIEWS_MAX);
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns how many were looked at */
  async pass(): Promise<number> {
    const due = await takeUpDueReviews(this.database, REVIEWS_MAX);
    await Promise.all(due.map(async (review) => await this.lookAlone(review)));
    return due.length;
  }

  /** One that fails does not hurt the others: it is due again. */
  private async lookAlone(review: DueReview): Promise<void> {
    await runInContext({ paymentId: review.payment_id, requestId: CAUSE.requestId }, async () => {
      try {
        await this.look(review);
      } catch (error) {
        this.logger.warn({ err: error }, 'a review that is due could not be looked at');
      }
    });
  }

  private async look(review: DueReview): Promise<void> {
    if (review.overdue) await this.end(review);
    else if (review.review_id === null) await this.judge(review);
  }

  private async end({ payment_id: paymentId, review_id: reviewId }: DueReview): Promise<void> {
    const router = await this.reviews.router();
    const decision = { reviewId, outcome: 'BLOCK', decidedBy: 'deadline' } as const;
    await this.database.transaction(async (tx) => await this.reviews.decide(tx, paymentId, decision, router, CAUSE));
  }

  private async judge({ payment_id: paymentId, ...review }: DueReview): Promise<void> {
    const payer = { ip: review.payer_ip, ipCountry: review.payer_ip_country, email: review.payer_email };
    const payment = await loadPayment(this.database, paymentId);
    const judgement = payment?.paymentMethod && (await this.judging.judgeAgain(payment, payment.paymentMethod, payer));
    if (!judgement) return;
    crashPoint('payment.review.after-judgement');
    const router = await this.reviews.router();
    await this.database.transaction(
      async (tx) => await this.reviews.judgeAgain(tx, paymentId, judgement, router, CAUSE),
    );
  }
}
