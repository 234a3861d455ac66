import { Injectable } from '@nestjs/common';
import type { FraudDecisionDetail, ListFraudDecisionsQuery } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { Problem } from '@payflow/service';

import { hintedEmail } from '../domain/hinted-email.js';
import { type DecisionRow, findDecision, listDecisions } from '../store/decisions.js';
import { type Page, pageOf } from './page.js';

/** GET /fraud/decisions: what was decided, and from what. */
@Injectable()
export class ReadDecisions {
  constructor(private readonly database: Database) {}

  async page({ cursor, limit, ...filter }: ListFraudDecisionsQuery): Promise<Page<FraudDecisionDetail>> {
    return pageOf(await listDecisions(this.database, filter, cursor, limit + 1), limit, detailView);
  }

  /** @throws Problem fraud_decision_not_found */
  async one(decisionId: string): Promise<FraudDecisionDetail> {
    const row = await findDecision(this.database, decisionId);
    if (row === undefined) throw new Problem('fraud_decision_not_found');
    return detailView(row);
  }
}

const detailView = ({ request, ...row }: DecisionRow): FraudDecisionDetail => ({
  decisionId: row.id,
  subject: request.subject,
  subjectId: request.subjectId,
  merchantId: request.merchantId,
  userId: request.userId,
  amount: request.amount,
  currency: request.currency,
  outcome: row.outcome,
  score: row.score,
  reasons: [...row.reasons],
  shadow: [...row.shadow],
  rulesVersion: Number(row.rulesVersion),
  features: { velocities: [...row.features.velocities], lists: [...row.features.lists] },
  method: request.method,
  ip: request.ip,
  ipCountry: request.ipCountry ?? null,
  email: request.email === null ? null : hintedEmail(request.email),
  reviewId: row.reviewId,
  at: row.at.toISOString(),
  decidedAt: row.decidedAt.toISOString(),
});
