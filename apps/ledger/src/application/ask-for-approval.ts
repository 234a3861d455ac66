import { Injectable } from '@nestjs/common';
import type { PostTransactionsRequest, Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import {
  type Answer,
  currentContext,
  Idempotency,
  Problem,
  type RequestIdentity,
  type StoredAnswer,
} from '@payflow/service';

import { insertApproval } from '../store/approvals.js';
import { findTransaction } from '../store/journal-reads.js';
import { approvalResponse } from './approval-response.js';
import { rehearseTransactions } from './commit-transactions.js';
import { batchRefused } from './posting-refusals.js';
import { authorOf, groupOf } from './post-transactions.js';

const CLAIM_LEASE_MS = 15_000;
/** Over a long weekend. What nobody has decided by then is asked for anew. */
export const APPROVAL_LIFETIME_SECONDS = 4 * 86_400;

/** A person's posting or reversal: it is written down and waits for another person (spec §2, Ledger). */
@Injectable()
export class AskForApprovalHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
  ) {}

  /** What cannot be posted as things stand is refused at once, so that nobody approves it in vain. @throws Problem batch_refused */
  async posting(command: {
    readonly request: PostTransactionsRequest;
    readonly principal: Principal;
    readonly identity: RequestIdentity;
  }): Promise<StoredAnswer> {
    const { request, principal, identity } = command;
    const { transactions } = request;
    return await this.ask(identity, async (tx, id) => {
      const group = groupOf({ transactions, atomic: true }, { ...authorOf(principal), metadata: { approvalId: id } });
      const [decision] = await rehearseTransactions(tx, [group]);
      if (decision?.posts !== true) throw batchRefused(decision?.outcomes ?? []);
      return await this.writeDown(tx, principal, { id, kind: 'posting', request: { transactions }, reverts: null });
    });
  }

  /** @throws Problem transaction_not_found, already_reverted */
  async reversal(command: {
    readonly transactionId: string;
    readonly principal: Principal;
    readonly identity: RequestIdentity;
  }): Promise<StoredAnswer> {
    const { transactionId, principal, identity } = command;
    return await this.ask(identity, async (tx, id) => {
      const original = await findTransaction(tx, transactionId);
      if (original === undefined) throw new Problem('transaction_not_found');
      if (original.reverted_by !== null)
        throw new Problem('already_reverted', {
          detail: `It was reverted by ${original.reverted_by}.`,
          extensions: { revertedBy: original.reverted_by },
        });
      return await this.writeDown(tx, principal, { id, kind: 'reversal', request: null, reverts: transactionId });
    });
  }

  private async ask(
    identity: RequestIdentity,
    work: (tx: Tx, approvalId: string) => Promise<Answer>,
  ): Promise<StoredAnswer> {
    const options = { resourceId: newId('apr'), leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, work);
  }

  private async writeDown(
    tx: Tx,
    principal: Principal,
    approval: Pick<Parameters<typeof insertApproval>[1], 'id' | 'kind' | 'request' | 'reverts'>,
  ): Promise<Answer> {
    const row = await insertApproval(
      tx,
      { ...approval, requested_by: principal.id, correlation_id: currentContext().correlationId ?? null },
      APPROVAL_LIFETIME_SECONDS,
    );
    return { status: 202, body: approvalResponse(row), headers: { location: `/ledger/approvals/${row.id}` } };
  }
}
