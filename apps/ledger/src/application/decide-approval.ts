import { Injectable } from '@nestjs/common';
import type { LedgerApprovalView, ListLedgerApprovalsQuery, Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { Idempotency, Problem, type RequestIdentity, type StoredAnswer } from '@payflow/service';

import type { DraftGroup, Outcome } from '../domain/journal.js';
import { type ApprovalRow, decideApproval, findApproval, listApprovals, lockApproval } from '../store/approvals.js';
import { findTransaction } from '../store/journal-reads.js';
import { approvalResponse } from './approval-response.js';
import { commitTransactions } from './commit-transactions.js';
import { JournalMetrics } from './journal-metrics.js';
import { batchRefused } from './posting-refusals.js';
import { type Author, groupOf } from './post-transactions.js';
import { reversalDraft } from './revert-transaction.js';

const CLAIM_LEASE_MS = 15_000;

export interface DecideApproval {
  readonly approvalId: string;
  readonly verdict: 'approve' | 'refuse';
  readonly reason: string | null;
  readonly principal: Principal;
  readonly identity: RequestIdentity;
}

/** The second person's word. Approved, it is posted in the commit that says so: once, or not at all. */
@Injectable()
export class DecideApprovalHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly metrics: JournalMetrics,
  ) {}

  /**
   * @throws Problem approval_not_found, approval_by_requester, approval_not_open; and where it cannot be posted (any more)
   *   batch_refused: it goes on waiting
   */
  async run(command: DecideApproval): Promise<StoredAnswer> {
    const { approvalId, verdict, reason, principal, identity } = command;
    const options = { resourceId: approvalId, leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx) => {
      const approval = await lockApproval(tx, approvalId);
      if (approval === undefined) throw new Problem('approval_not_found');
      if (approval.requested_by === principal.id) throw new Problem('approval_by_requester');
      if (approval.status !== 'WAITING')
        throw new Problem('approval_not_open', { detail: `It is ${approval.status.toLowerCase()}.` });
      const decided = await decideApproval(tx, approvalId, {
        status: verdict === 'approve' ? 'APPROVED' : 'REFUSED',
        decidedBy: principal.id,
        reason,
        transactionIds: verdict === 'approve' ? await this.post(tx, approval, principal.id) : [],
      });
      return { status: 200, body: approvalResponse(decided) };
    });
  }

  /** @throws Problem approval_not_found */
  async get(approvalId: string): Promise<LedgerApprovalView> {
    const row = await findApproval(this.database, approvalId);
    if (row === undefined) throw new Problem('approval_not_found');
    return approvalResponse(row);
  }

  async page(query: ListLedgerApprovalsQuery): Promise<{ data: LedgerApprovalView[]; nextCursor: string | null }> {
    const rows = await listApprovals(this.database, {
      before: query.cursor ?? null,
      status: query.status ?? null,
      rowsMax: query.limit + 1,
    });
    const shown = rows.slice(0, query.limit);
    return {
      data: shown.map(approvalResponse),
      nextCursor: rows.length > query.limit ? (shown.at(-1)?.id ?? null) : null,
    };
  }

  private async post(tx: Tx, approval: ApprovalRow, approvedBy: string): Promise<readonly string[]> {
    const decisions = await commitTransactions(tx, [await groupOfApproval(tx, approval, approvedBy)]);
    const [decision] = decisions;
    if (decision?.posts !== true) throw refusalOf(approval, decision?.outcomes ?? []);
    const ids = decision.outcomes.map((outcome) => {
      if (outcome.kind !== 'posted')
        throw new Error('invariant: the content of an approval names it, so nothing else can have posted it');
      return outcome.draft.transactionId;
    });
    tx.onCommit(() => {
      this.metrics.observe('http', decisions);
    });
    return ids;
  }
}

/** A reference that was posted since is not posted by this: two approvals never share a transaction. */
const refusalOf = (approval: ApprovalRow, outcomes: readonly Outcome[]): Problem => {
  const [first] = outcomes;
  if (approval.kind === 'reversal' && first?.kind === 'refused' && first.refusal.code === 'reference_taken') {
    const revertedBy = first.refusal.transactionId;
    return new Problem('already_reverted', { detail: `It was reverted by ${revertedBy}.`, extensions: { revertedBy } });
  }
  return batchRefused(outcomes);
};

/** In the name of who asked; the metadata says by which approval, and so who else. */
const groupOfApproval = async (tx: Tx, approval: ApprovalRow, approvedBy: string): Promise<DraftGroup> => {
  const author: Author = {
    id: approval.requested_by,
    authority: 'approved',
    correlationId: approval.correlation_id,
    metadata: { approvalId: approval.id, approvedBy },
  };
  if (approval.request !== null) return groupOf({ ...approval.request, atomic: true }, author);
  const original = await findTransaction(tx, approval.reverts ?? '');
  if (original === undefined) throw new Error('invariant: the transaction of a reversal is there');
  return { atomic: true, drafts: [await reversalDraft(tx, original, author, newId('ltx'))] };
};
