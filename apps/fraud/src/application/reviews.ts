import { Injectable } from '@nestjs/common';
import type {
  DecideFraudReviewRequest,
  FraudReviewStatus,
  FraudReviewView,
  ListFraudReviewsQuery,
  Principal,
} from '@payflow/contracts';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import {
  endReviews,
  findReview,
  listReviews,
  lockOverdueReviews,
  lockReview,
  type ReviewEnd,
  type ReviewRow,
} from '../store/reviews.js';
import { type Page, pageOf } from './page.js';
import { reviewedEvent } from './publications.js';

const LEASE_MS = 5_000;
const OVERDUE_AT_ONCE = 100;

/** The review queue: what people decide, or the deadline when they do not. */
@Injectable()
export class Reviews {
  constructor(
    private readonly database: Database,
    private readonly outbox: Outbox,
    private readonly idempotency: Idempotency,
  ) {}

  async page({ cursor, limit, ...filter }: ListFraudReviewsQuery): Promise<Page<FraudReviewView>> {
    return pageOf(await listReviews(this.database, filter, cursor, limit + 1), limit, reviewView);
  }

  /** @throws Problem fraud_review_not_found */
  async one(reviewId: string): Promise<FraudReviewView> {
    const row = await findReview(this.database, reviewId);
    if (row === undefined) throw new Problem('fraud_review_not_found');
    return reviewView(row);
  }

  /** The same word again changes nothing. @throws Problem fraud_review_not_found | fraud_review_decided */
  async decide(
    reviewId: string,
    status: ReviewEnd['status'],
    request: { readonly principal: Principal; readonly meta: RequestMeta; readonly body: DecideFraudReviewRequest },
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify(request);
    const options = { resourceId: reviewId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const row = await lockReview(tx, reviewId);
      if (row === undefined) throw new Problem('fraud_review_not_found');
      if (row.status === status) return { status: 200, body: reviewView(row) };
      if (row.status !== 'PENDING') throw contrary(row.status);
      const end = { status, decidedAt: new Date(), decidedBy: request.principal.id, reason: request.body.reason };
      await this.end(tx, [row], end);
      return { status: 200, body: reviewView({ ...row, ...end }) };
    });
  }

  /** @returns whether there may be more */
  async rejectOverdue(): Promise<boolean> {
    return await this.database.transaction(async (tx) => {
      const rows = await lockOverdueReviews(tx, OVERDUE_AT_ONCE);
      const end = { status: 'REJECTED', decidedAt: new Date(), decidedBy: 'deadline', reason: null } as const;
      if (rows.length > 0) await this.end(tx, rows, end);
      return rows.length === OVERDUE_AT_ONCE;
    });
  }

  private async end(tx: Tx, rows: readonly ReviewRow[], end: ReviewEnd): Promise<void> {
    await endReviews(
      tx,
      rows.map(({ id }) => id),
      end,
    );
    await this.outbox.publish(
      tx,
      rows.map((row) => reviewedEvent(row, end)),
    );
  }
}

const contrary = (status: FraudReviewStatus): Problem =>
  new Problem('fraud_review_decided', { detail: `The review is ${status}.` });

const reviewView = (row: ReviewRow): FraudReviewView => ({
  reviewId: row.id,
  decisionId: row.decisionId,
  paymentId: row.paymentId,
  merchantId: row.merchantId,
  userId: row.userId,
  amount: Number(row.amountMinor),
  currency: row.currency,
  score: row.score,
  reasons: [...row.reasons],
  status: row.status,
  decideBy: row.decideBy.toISOString(),
  createdAt: row.createdAt.toISOString(),
  decidedAt: row.decidedAt?.toISOString() ?? null,
  decidedBy: row.decidedBy,
  reason: row.reason,
});
