import { Injectable } from '@nestjs/common';
import {
  type PostTransactionsRequest,
  type Principal,
  type TransactionResult,
  type TransactionResultsResponse,
} from '@payflow/contracts';
import { type Currency, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import {
  currentContext,
  Idempotency,
  type RequestIdentity,
  runInContext,
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

/** POST /ledger/transactions. Key, transactions and answer are one commit, shared with other requests (docs/adr/0010). */
@Injectable()
export class PostTransactionsHandler {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly committer: JournalCommitter,
  ) {}

  async run(command: PostTransactions): Promise<StoredAnswer> {
    const group = groupOf(command.request, authorOf(command.principal));
    const context = currentContext();
    return await this.committer.answer(group, {
      identity: command.identity,
      resourceId: group.drafts[0]?.transactionId ?? '',
      // A batch is decided in the context of none of its requests.
      answerOf: (decision) => runInContext(context, () => this.answerOf(decision, command)),
    });
  }

  /** What would be decided now; nothing is written, no key is used. */
  async rehearse({ request, principal }: Omit<PostTransactions, 'identity'>): Promise<TransactionResultsResponse> {
    const group = groupOf(request, authorOf(principal));
    const [decision] = await rehearseTransactions(this.database, [group]);
    if (decision === undefined) throw new Error('invariant: a group was left undecided');
    if (!decision.posts) throw batchRefused(decision.outcomes);
    return resultsOf(decision, request, true);
  }

  private answerOf(decision: GroupDecision, { request }: PostTransactions): StoredAnswer {
    if (!decision.posts) return this.idempotency.storedProblem(batchRefused(decision.outcomes));
    return storedAnswer({ status: 201, body: resultsOf(decision, request, false) });
  }
}

/** In whose name drafts are written. */
export interface Author {
  readonly id: string;
  readonly authority: DraftAuthority;
  readonly correlationId: string | null;
  /** Beside what the request says of each transaction. */
  readonly metadata: Readonly<Record<string, string>>;
}

export const groupOf = (request: PostTransactionsRequest, author: Author): DraftGroup => ({
  atomic: request.atomic,
  drafts: request.transactions.map((transaction): TransactionDraft => ({
    transactionId: newId('ltx'),
    authority: author.authority,
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
    opens: [],
    refusalIsFinal: false,
    effectiveAt: transaction.effectiveAt === undefined ? null : new Date(transaction.effectiveAt),
    metadata: { ...transaction.metadata, ...author.metadata },
    provenance: {
      paymentId: null,
      merchantId: null,
      eventId: null,
      acquirerReference: null,
      reverts: null,
      postedBy: author.id,
      correlationId: author.correlationId,
    },
  })),
});

/** What a person asks for waits, and has the rights of what was approved. */
const AUTHORITY_OF = {
  service: 'service',
  client: 'client',
  user: 'approved',
} as const satisfies Readonly<Record<Principal['kind'], DraftAuthority>>;

export const authorOf = (principal: Principal): Author => ({
  id: principal.id,
  authority: AUTHORITY_OF[principal.kind],
  correlationId: currentContext().correlationId ?? null,
  metadata: {},
});

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
