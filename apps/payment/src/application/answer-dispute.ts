import { Injectable } from '@nestjs/common';
import type { DisputeEvidence, Principal } from '@payflow/contracts';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, type StoredAnswer } from '@payflow/service';

import { type Dispute, type DisputeOrder, disputeOf } from '../domain/dispute.js';
import type { Payment } from '../domain/payment.js';
import { respondToDispute } from '../domain/respond-to-dispute.js';
import { disputeRowOf, findDispute, findEvidence, mergeEvidence } from '../store/disputes.js';
import { type CommandRequest, causeOf, identityOf } from './command-request.js';
import { Commit } from './commit.js';
import { disputeChangeView } from './dispute-view.js';
import { lockKnownPayment } from './load-payment.js';
import { visible } from './read-disputes.js';
import { problemOfDisputeRefusal } from './refusal-problems.js';
import { WatchDisputes } from './watch-disputes.js';

const LEASE_MS = 5_000;

/**
 * POST /disputes/{id}/evidence, /submit and /accept. The decision is committed with the answer to the caller, and then the
 * acquirer is told: by whoever takes up the row, under the dispute's id, as often as it takes.
 */
@Injectable()
export class AnswerDispute {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly commit: Commit,
    private readonly watching: WatchDisputes,
  ) {}

  /** @throws Problem dispute_not_found | dispute_not_open, as the answer of the key */
  async write(disputeId: string, request: CommandRequest<DisputeEvidence>): Promise<StoredAnswer> {
    return await this.once(disputeId, request, async (tx) => {
      const { payment, dispute } = await lockDispute(tx, disputeId, request.principal);
      const { status, response, evidenceDueBy } = dispute;
      if (status !== 'NEEDS_RESPONSE' || response !== null || new Date() >= evidenceDueBy)
        throw problemOfDisputeRefusal({ code: 'dispute_not_open', status });
      const evidence = await mergeEvidence(tx, disputeId, request.body, request.principal.id);
      return { status: 200, body: disputeChangeView(disputeRowOf(payment, dispute), evidence) };
    });
  }

  /** @throws Problem dispute_not_found | dispute_not_open | dispute_evidence_missing, as the answer of the key */
  async respond(disputeId: string, response: DisputeOrder, request: CommandRequest<unknown>): Promise<StoredAnswer> {
    return await this.once(disputeId, request, async (tx) => {
      const { payment: before } = await lockDispute(tx, disputeId, request.principal);
      const evidence = await findEvidence(tx, disputeId);
      const hasEvidence = Object.keys(evidence).length > 0;
      const decision = respondToDispute(before, { at: new Date(), disputeId, response, hasEvidence });
      if (!decision.ok) throw problemOfDisputeRefusal(decision.refusal);
      const { payment } = await this.commit.write(tx, { before, events: decision.events, cause: causeOf(request) });
      tx.onCommit(() => {
        this.watching.poke();
      });
      return { status: 202, body: disputeChangeView(disputeRowOf(payment, found(payment, disputeId)), evidence) };
    });
  }

  private async once(
    resourceId: string,
    request: CommandRequest<unknown>,
    work: (tx: Tx) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const options = { resourceId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identityOf(this.idempotency, request), options, work);
  }
}

const found = (payment: Payment, disputeId: string): Dispute => {
  const dispute = disputeOf(payment.disputes, disputeId);
  if (!dispute) throw new Error(`invariant: ${disputeId} has vanished`);
  return dispute;
};

/** The dispute with its payment, which is held for this transaction. @throws Problem dispute_not_found */
const lockDispute = async (
  tx: Tx,
  disputeId: string,
  principal: Principal,
): Promise<{ readonly payment: Payment; readonly dispute: Dispute }> => {
  const row = visible(await findDispute(tx, disputeId), principal);
  const payment = await lockKnownPayment(tx, row.payment_id);
  return { payment, dispute: found(payment, disputeId) };
};
