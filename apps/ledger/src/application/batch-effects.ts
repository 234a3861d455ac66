import type { Books, SeenReference } from '../domain/decide-postings.js';
import type { FinalRefusal } from '../store/final-refusals.js';
import type { JournalHead } from '../store/journal-writes.js';
import { balancesAfter, type Posted } from './commit-transactions.js';

/**
 * What a batch that is written and not yet committed leaves behind, so that the next can be decided meanwhile. Whoever rests
 * on it must find the head it names when he writes: then this batch was committed, and nobody was in between.
 */
export interface BatchEffects {
  readonly head: JournalHead;
  /** By the account's number. */
  readonly balances: ReadonlyMap<bigint, bigint>;
  readonly references: ReadonlyMap<string, SeenReference>;
}

export const effectsOf = (
  head: JournalHead,
  posted: readonly Posted[],
  refused: readonly FinalRefusal[],
  books: Books,
): BatchEffects => ({
  head,
  balances: new Map(balancesAfter(posted).map(({ accountSeq, balanceMinor }) => [accountSeq, balanceMinor])),
  references: new Map<string, SeenReference>([
    ...refused.map(({ reference, refusal }) => [reference, { refusal }] as const),
    ...posted.map(
      ({ draft }) =>
        [draft.reference, { transactionId: draft.transactionId, contentHash: books.contentHashOf(draft) }] as const,
    ),
  ]),
});

/** The books as they will stand. It does not matter whether they were read before the batch was committed or after it. */
export const booksAfter = (books: Books, { balances, references }: BatchEffects): Books => ({
  ...books,
  accounts: books.accounts.map((account) => ({
    ...account,
    balanceMinor: balances.get(account.seq) ?? account.balanceMinor,
  })),
  seen: { get: (reference) => references.get(reference) ?? books.seen.get(reference) },
});
