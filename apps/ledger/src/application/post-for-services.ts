import { Injectable } from '@nestjs/common';
import type { Principal, ServicePostingResult, ServicePostingsRequest } from '@payflow/contracts';
import { type Currency, newId } from '@payflow/kernel';
import { Database } from '@payflow/postgres';
import { currentContext } from '@payflow/service';

import type { DecidedEntry, Outcome, PostingRefusal, TransactionDraft } from '../domain/journal.js';
import { findBalancesBehind, type PostedBefore } from '../store/journal-reads.js';
import { JournalCommitter } from './journal-committer.js';
import { detailOf } from './posting-refusals.js';

/**
 * POST /internal/ledger/postings: the door for PayFlow's own services. Every posting is decided for itself, in the commit it
 * shares with whatever else waits. There is no key: a reference posts once for ever, or is refused for lack of money once for
 * ever, so a service that does not know what became of its postings sends them again, and a copy that arrives late changes
 * nothing.
 */
@Injectable()
export class PostForServicesHandler {
  constructor(
    private readonly database: Database,
    private readonly committer: JournalCommitter,
  ) {}

  async run(request: ServicePostingsRequest, principal: Principal): Promise<readonly ServicePostingResult[]> {
    const correlationId = currentContext().correlationId ?? null;
    const drafts = request.postings.map((posting) => draftOf(posting, principal.id, correlationId));
    const { decision, recordedAt } = await this.committer.post({ atomic: false, drafts });
    const before = await this.postedBefore(decision.outcomes);
    return decision.outcomes.map((outcome, index): ServicePostingResult => {
      const reference = drafts[index]?.reference ?? '';
      switch (outcome.kind) {
        case 'posted':
          if (recordedAt === undefined) throw new Error('invariant: something was posted at no time');
          return {
            status: 'posted',
            reference,
            transactionId: outcome.draft.transactionId,
            replayed: false,
            balances: balancesBehind(outcome.entries),
            postedAt: recordedAt.toISOString(),
          };
        case 'replayed': {
          const posted = before.get(outcome.transactionId);
          if (posted === undefined) throw new Error('invariant: a transaction was seen and is not there');
          return {
            status: 'posted',
            reference,
            transactionId: outcome.transactionId,
            replayed: true,
            balances: posted.balances.map(({ code, balanceMinor }) => ({ code, balance: Number(balanceMinor) })),
            postedAt: posted.recordedAt.toISOString(),
          };
        }
        case 'refused': {
          const { refusal } = outcome;
          return {
            status: 'refused',
            reference,
            code: refusal.code,
            account: accountAtFault(refusal),
            detail: detailOf(refusal),
          };
        }
      }
    });
  }

  private async postedBefore(outcomes: readonly Outcome[]): Promise<ReadonlyMap<string, PostedBefore>> {
    const ids = outcomes.flatMap((outcome) => (outcome.kind === 'replayed' ? [outcome.transactionId] : []));
    return ids.length === 0 ? new Map() : await findBalancesBehind(this.database, ids);
  }
}

const draftOf = (
  posting: ServicePostingsRequest['postings'][number],
  postedBy: string,
  correlationId: string | null,
): TransactionDraft => ({
  transactionId: newId('ltx'),
  authority: 'service',
  reference: posting.reference,
  type: posting.type,
  postings: posting.postings.map(({ from, to, amount, currency }) => ({
    from,
    to,
    amountMinor: BigInt(amount),
    // The contract's schema has refused every code that is no currency.
    currency: currency as Currency,
    entryType: posting.type,
  })),
  refusalIsFinal: true,
  opens: posting.accounts.map(({ code, currency, floor }) => ({
    code,
    currency: currency as Currency,
    floorMinor: floor === null ? null : BigInt(floor),
  })),
  effectiveAt: null,
  metadata: posting.metadata,
  provenance: {
    paymentId: posting.paymentId,
    merchantId: posting.merchantId,
    eventId: null,
    acquirerReference: null,
    reverts: null,
    postedBy,
    correlationId,
  },
});

/** Of each account, after the last of its legs. */
const balancesBehind = (entries: readonly DecidedEntry[]): { readonly code: string; readonly balance: number }[] => {
  const last = new Map<bigint, DecidedEntry>();
  for (const entry of entries) last.set(entry.account.seq, entry);
  return [...last.values()].map(({ account, balanceAfterMinor }) => ({
    code: account.code,
    balance: Number(balanceAfterMinor),
  }));
};

const accountAtFault = (refusal: PostingRefusal): string | null => ('account' in refusal ? refusal.account : null);
