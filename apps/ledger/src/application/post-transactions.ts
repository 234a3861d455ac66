import { Injectable } from '@nestjs/common';
import {
  type PostTransactionsRequest,
  type Principal,
  type TransactionResult,
  type TransactionResultsResponse,
} from '@payflow/contracts';
import { type Currency, newId } from '@payflow/kernel';
import { CommitOutcomeUnknownError, Database } from '@payflow/postgres';
import {
  type Claim,
  currentContext,
  Idempotency,
  type RequestIdentity,
  type StoredAnswer,
  storedAnswer,
} from '@payflow/service';

import type { DraftAuthority, DraftGroup, GroupDecision, Outcome, TransactionDraft } from '../domain/journal.js';
import { rehearseTransactions } from './commit-transactions.js';
import { JournalCommitter } from './journal-committer.js';
import { batchRefused, detailOf } from './posting-refusals.js';

export interface PostTransactions {
  readonly request: PostTransactionsRequest;
  readonly principal: Principal;
  readonly identity: RequestIdentity;
}

/**
 * How long a repetition waits for a first request whose process may have died. Short, since running both does no harm: each
 * reference is posted by one of them and replayed by the other.
 */
const CLAIM_LEASE_MS = 3_000;

/**
 * POST /ledger/transactions. An Idempotency-Key is claimed before the request joins a batch and completed after it, in
 * transactions of their own, so that neither holds the journal's lock. A crash between them posts nothing twice: the
 * repetition takes the claim over and finds its references posted.
 */
@Injectable()
export class PostTransactionsHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly committer: JournalCommitter,
  ) {}

  async run(command: PostTransactions): Promise<StoredAnswer> {
    if (command.identity.key === undefined)
      return this.answerOf(await this.committer.commit(groupOf(command)), command);
    const claimed = await this.claim(command.identity);
    if ('answer' in claimed) return claimed.answer;
    const answer = this.answerOf(await this.commitWith(claimed.claim, command), command);
    // From here on the journal may have it: a failure leaves the key to its lease, and the repetition finds the references.
    await this.database.transaction((tx) => this.idempotency.complete(tx, claimed.claim, answer));
    return answer;
  }

  /** Gives the key back when certainly nothing was posted, and only then: a key that may have had an effect is used up. */
  private async commitWith(claim: Claim, command: PostTransactions): Promise<GroupDecision> {
    try {
      return await this.committer.commit(groupOf(command));
    } catch (error) {
      if (!(error instanceof CommitOutcomeUnknownError))
        // Where the database cannot be reached, the lease runs out instead.
        await this.database.transaction((tx) => this.idempotency.release(tx, claim)).catch(() => undefined);
      throw error;
    }
  }

  /** What would be decided now; nothing is written, no key is used. */
  async rehearse({ request, principal }: Omit<PostTransactions, 'identity'>): Promise<TransactionResultsResponse> {
    const group = groupOf({ request, principal });
    const [decision] = await rehearseTransactions(this.database, [group]);
    if (decision === undefined) throw new Error('invariant: a group was left undecided');
    if (!decision.posts) throw batchRefused(decision.outcomes);
    return resultsOf(decision, request, true);
  }

  private async claim(
    identity: RequestIdentity,
  ): Promise<{ readonly claim: Claim } | { readonly answer: StoredAnswer }> {
    const options = { resourceId: newId('ltx'), leaseMs: CLAIM_LEASE_MS, moneyMoving: false };
    const outcome = await this.database.transaction((tx) => this.idempotency.claim(tx, identity, options));
    return outcome.kind === 'replay' ? { answer: outcome.answer } : { claim: outcome.claim };
  }

  private answerOf(decision: GroupDecision, { request }: PostTransactions): StoredAnswer {
    if (!decision.posts) return this.idempotency.storedProblem(batchRefused(decision.outcomes));
    return storedAnswer({ status: 201, body: resultsOf(decision, request, false) });
  }
}

const groupOf = ({ request, principal }: Omit<PostTransactions, 'identity'>): DraftGroup => ({
  atomic: request.atomic,
  drafts: request.transactions.map((transaction): TransactionDraft => ({
    transactionId: newId('ltx'),
    authority: authorityOf(principal),
    reference: transaction.reference,
    type: transaction.type,
    postings: transaction.postings.map((posting) => ({
      from: posting.from,
      to: posting.to,
      amountMinor: BigInt(posting.amount),
      // The contract's schema has refused every code that is no currency.
      currency: posting.currency as Currency,
      entryType: transaction.type,
    })),
    effectiveAt: transaction.effectiveAt === undefined ? null : new Date(transaction.effectiveAt),
    metadata: transaction.metadata ?? {},
    provenance: {
      paymentId: null,
      merchantId: null,
      eventId: null,
      acquirerReference: null,
      reverts: null,
      postedBy: principal.id,
      correlationId: currentContext().correlationId ?? null,
    },
  })),
});

export const authorityOf = (principal: Principal): DraftAuthority =>
  principal.kind === 'service' ? 'service' : 'client';

const resultsOf = (
  decision: GroupDecision,
  request: PostTransactionsRequest,
  dryRun: boolean,
): TransactionResultsResponse => ({
  dryRun,
  results: decision.outcomes.map((outcome, index) =>
    resultOf(outcome, request.transactions[index]?.reference ?? '', dryRun),
  ),
});

const resultOf = (outcome: Outcome, reference: string, dryRun: boolean): TransactionResult => {
  switch (outcome.kind) {
    case 'posted':
      return {
        status: 'posted',
        reference,
        transactionId: dryRun ? null : outcome.draft.transactionId,
        replayed: false,
      };
    case 'replayed':
      return { status: 'posted', reference, transactionId: outcome.transactionId, replayed: true };
    case 'refused':
      return {
        status: 'refused',
        reference,
        code: outcome.refusal.code,
        detail: detailOf(outcome.refusal),
      };
  }
};
