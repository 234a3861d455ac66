import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { type Currency, newId } from '@payflow/kernel';
import { Database, type Tx } from '@payflow/postgres';
import { Idempotency, Problem, type RequestIdentity, type StoredAnswer } from '@payflow/service';

import type { TransactionDraft } from '../domain/journal.js';
import { reversalReference } from '../domain/references.js';
import { type RecordedPosting, REVERSAL_TYPE, reversalOf } from '../domain/reversal.js';
import { type EntryRow, findLegs, findTransaction, type TransactionRow } from '../store/journal-reads.js';
import { commitTransactions } from './commit-transactions.js';
import { JournalMetrics } from './journal-metrics.js';
import { postingRefused } from './posting-refusals.js';
import { type Author, authorOf } from './post-transactions.js';
import { transactionResponse } from './responses.js';

export interface RevertTransaction {
  readonly transactionId: string;
  readonly principal: Principal;
  readonly identity: RequestIdentity;
}

const CLAIM_LEASE_MS = 15_000;
const EVERY_ACCOUNT = { everyone: true, merchantId: null, codePrefix: null };

/**
 * POST /ledger/transactions/{id}/revert: a transaction that moves the same amounts the other way. The reference it posts
 * under is made of the id, so there is one reversal at most.
 */
@Injectable()
export class RevertTransactionHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly metrics: JournalMetrics,
  ) {}

  async run(command: RevertTransaction): Promise<StoredAnswer> {
    const options = { resourceId: newId('ltx'), leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, command.identity, options, async (tx, resourceId) => {
      const original = await findTransaction(tx, command.transactionId);
      if (original === undefined) throw new Problem('transaction_not_found');
      await this.post(tx, await reversalDraft(tx, original, authorOf(command.principal), resourceId));
      const reversal = await findTransaction(tx, resourceId);
      if (reversal === undefined) throw new Error('invariant: a reversal was posted and is not there');
      const legs = await findLegs(tx, reversal, EVERY_ACCOUNT);
      return { status: 201, body: transactionResponse(reversal, legs) };
    });
  }

  private async post(tx: Tx, draft: TransactionDraft): Promise<void> {
    const decisions = await commitTransactions(tx, [{ atomic: false, drafts: [draft] }]);
    tx.onCommit(() => {
      this.metrics.observe('http', decisions);
    });
    const [outcome] = decisions.flatMap(({ outcomes }) => outcomes);
    if (outcome === undefined) throw new Error('invariant: a draft was left undecided');
    if (outcome.kind === 'refused') throw postingRefused(outcome.refusal);
    if (outcome.kind === 'replayed') {
      throw new Problem('already_reverted', {
        detail: `It was reverted by ${outcome.transactionId}.`,
        extensions: { revertedBy: outcome.transactionId },
      });
    }
  }
}

export const reversalDraft = async (
  tx: Tx,
  original: TransactionRow,
  author: Author,
  transactionId: string,
): Promise<TransactionDraft> => ({
  transactionId,
  authority: author.authority,
  reference: reversalReference(original.id),
  type: REVERSAL_TYPE,
  postings: reversalOf(postingsOfLegs(await findLegs(tx, original, EVERY_ACCOUNT))),
  opens: [],
  refusalIsFinal: false,
  effectiveAt: null,
  metadata: author.metadata,
  provenance: {
    paymentId: original.payment_id,
    merchantId: original.merchant_id,
    eventId: null,
    acquirerReference: original.acquirer_reference,
    reverts: original.id,
    postedBy: author.id,
    correlationId: author.correlationId,
  },
});

/** Legs come in pairs: a posting's debit, then its credit. */
const postingsOfLegs = (legs: readonly EntryRow[]): readonly RecordedPosting[] =>
  legs.flatMap((debit, index) => {
    const credit = legs[index + 1];
    if (debit.direction !== 'debit' || credit === undefined) return [];
    const currency = debit.currency as Currency;
    return [{ from: debit.account, to: credit.account, amountMinor: debit.amount, currency }];
  });
