import { createHash, randomUUID } from 'node:crypto';

import { newId } from '@payflow/kernel';
import type { Sql, Tx } from '@payflow/postgres';
import { crashPoint } from '@payflow/service';

import { contentText } from '../domain/content.js';
import { type Books, decidePostings, isFinalRefusal } from '../domain/decide-postings.js';
import type {
  Account,
  AccountToOpen,
  DraftGroup,
  GroupDecision,
  Outcome,
  TransactionDraft,
} from '../domain/journal.js';
import { findAccountsByName, insertAccounts } from '../store/account-rows.js';
import { type FinalRefusal, findFinalRefusals } from '../store/final-refusals.js';
import {
  advanceJournalHead,
  type BalanceUpdate,
  findReferences,
  insertEntries,
  insertTransactions,
  type JournalHead,
  lockJournalHead,
  updateBalances,
} from '../store/journal-writes.js';

/**
 * The one way into the journal, used by both doors. It takes the journal's lock, reads the accounts and the references
 * concerned, decides every draft in memory, and writes what was accepted with one statement for each table. One commit, one
 * fsync, many transactions; a hot account costs one row update however often the batch names it. Statements that do not wait
 * for each other are sent together: a batch is three round trips, the last of them its COMMIT.
 */
export const commitTransactions = async (tx: Tx, groups: readonly DraftGroup[]): Promise<readonly GroupDecision[]> => {
  const drafts = groups.flatMap((group) => group.drafts);
  const [head, found] = await Promise.all([lockJournalHead(tx), readBooks(tx, drafts)]);
  const books = await withOpened(tx, drafts, found);
  const decisions = decidePostings(books, groups);
  await writePosted(tx, head, postedIn(decisions), books);
  crashPoint('ledger.after-write-before-commit');
  return decisions;
};

/** What {@link commitTransactions} would decide now. Takes no lock and writes nothing. */
export const rehearseTransactions = async (
  sql: Sql,
  groups: readonly DraftGroup[],
): Promise<readonly GroupDecision[]> => {
  const drafts = groups.flatMap((group) => group.drafts);
  return decidePostings(await readBooks(sql, drafts), groups);
};

/** What the decision on these drafts rests on. Asked for behind the journal's lock, it is still true when they are written. */
export const readBooks = async (sql: Sql, drafts: readonly TransactionDraft[]): Promise<Books> => {
  const final = drafts.filter(({ refusalIsFinal }) => refusalIsFinal);
  const [accounts, posted, refused] = await Promise.all([
    findAccountsByName(sql, accountNamesIn(drafts)),
    findReferences(
      sql,
      drafts.map(({ reference }) => reference),
    ),
    final.length === 0
      ? []
      : findFinalRefusals(
          sql,
          final.map(({ reference }) => reference),
        ),
  ]);
  if (refused.length === 0) return booksOf(accounts, posted);
  const never = new Map(refused.map(({ reference, refusal }) => [reference, { refusal }] as const));
  return booksOf(accounts, { get: (reference) => posted.get(reference) ?? never.get(reference) });
};

const booksOf = (accounts: readonly Account[], seen: Books['seen']): Books => ({
  accounts,
  seen,
  contentHashOf: contentHasher(accounts),
});

const accountNamesIn = (drafts: readonly TransactionDraft[]): readonly string[] => {
  const names = new Set<string>();
  for (const { postings, opens } of drafts) {
    for (const { from, to } of postings) names.add(from).add(to);
    for (const { code } of opens) names.add(code);
  }
  return [...names];
};

/** SHA-256 of a draft's content, each draft's computed once. */
const contentHasher = (accounts: readonly Account[]): ((draft: TransactionDraft) => string) => {
  const codes = new Map(accounts.map(({ accountId, code }) => [accountId, code]));
  const codeOf = (name: string): string => codes.get(name) ?? name;
  const hashes = new Map<TransactionDraft, string>();
  return (draft) => {
    const known = hashes.get(draft);
    if (known !== undefined) return known;
    const hash = createHash('sha256').update(contentText(draft, codeOf)).digest('hex');
    hashes.set(draft, hash);
    return hash;
  };
};

/**
 * The books with the accounts that the drafts open, opened where they are missing. The journal's lock is held, so that two
 * who open the same account wait there and nowhere else.
 */
export const withOpened = async (tx: Tx, drafts: readonly TransactionDraft[], books: Books): Promise<Books> => {
  const missing = accountsMissing(drafts, books.accounts);
  if (missing.length === 0) return books;
  await insertAccounts(
    tx,
    missing.map((account) => ({ ...account, accountId: newId('acc') })),
  );
  return booksOf(await findAccountsByName(tx, accountNamesIn(drafts)), books.seen);
};

/** What the drafts open and is not there, each account once: as the first of them wants it. */
export const accountsMissing = (
  drafts: readonly TransactionDraft[],
  existing: readonly Account[],
): readonly AccountToOpen[] => {
  const wanted = new Map<string, AccountToOpen>();
  for (const { opens } of drafts) {
    for (const account of opens) {
      const name = `${account.code} ${account.currency}`;
      if (!wanted.has(name)) wanted.set(name, account);
    }
  }
  if (wanted.size > 0) for (const { code, currency } of existing) wanted.delete(`${code} ${currency}`);
  return [...wanted.values()];
};

export type Posted = Extract<Outcome, { readonly kind: 'posted' }>;

/** What is to be written: atomic groups with a refusal in them post nothing. */
export const postedIn = (decisions: readonly GroupDecision[]): readonly Posted[] =>
  decisions
    .filter(({ posts }) => posts)
    .flatMap(({ outcomes }) => outcomes)
    .filter((outcome) => outcome.kind === 'posted');

/** What is refused for ever, those included that were so before: they are told of here, so they are kept with this too. */
export const finalRefusalsIn = (
  groups: readonly DraftGroup[],
  decisions: readonly GroupDecision[],
): readonly FinalRefusal[] =>
  groups.flatMap(({ drafts }, group) =>
    drafts.flatMap((draft, index) => {
      const outcome = decisions[group]?.outcomes[index];
      return outcome?.kind === 'refused' && isFinalRefusal(draft, outcome.refusal)
        ? [{ reference: draft.reference, refusal: outcome.refusal }]
        : [];
    }),
  );

/** The head behind these, under a name that no other history has. */
export const headBehind = ({ position }: JournalHead, posted: readonly Posted[]): JournalHead => ({
  position: position + BigInt(posted.length),
  batch: randomUUID(),
});

/**
 * Writes them behind `head`. Fails when the head is elsewhere by now, and then has written nothing.
 *
 * @returns when they were recorded
 */
export const writePosted = async (
  tx: Tx,
  head: JournalHead,
  posted: readonly Posted[],
  books: Books,
  next: JournalHead = headBehind(head, posted),
): Promise<Date | undefined> => {
  if (posted.length === 0) return undefined;
  const numbered = posted.map((outcome, index) => ({ ...outcome, position: head.position + BigInt(index) + 1n }));
  const [recordedAt] = await Promise.all([
    advanceJournalHead(tx, head, next),
    insertTransactions(
      tx,
      numbered.map(({ draft, position }) => ({
        position,
        transactionId: draft.transactionId,
        reference: draft.reference,
        contentHash: books.contentHashOf(draft),
        type: draft.type,
        effectiveAt: draft.effectiveAt,
        ...draft.provenance,
        metadata: JSON.stringify(draft.metadata),
      })),
    ),
    insertEntries(
      tx,
      numbered.flatMap(({ draft, position, entries }) =>
        entries.map((entry) => ({
          entryId: newId('le'),
          position,
          line: entry.line,
          accountSeq: entry.account.seq,
          direction: entry.direction,
          amountMinor: entry.amountMinor,
          currency: entry.account.currency,
          balanceAfterMinor: entry.balanceAfterMinor,
          entryType: entry.entryType,
          paymentId: draft.provenance.paymentId,
          merchantId: draft.provenance.merchantId,
        })),
      ),
    ),
    updateBalances(tx, balancesAfter(posted)),
  ]);
  return recordedAt;
};

/** The last balance of each account that the batch touches. */
export const balancesAfter = (posted: readonly Posted[]): readonly BalanceUpdate[] => {
  const updates = new Map<bigint, BalanceUpdate>();
  for (const { entries } of posted) {
    for (const { account, balanceAfterMinor } of entries) {
      const entriesAdded = (updates.get(account.seq)?.entriesAdded ?? 0) + 1;
      updates.set(account.seq, { accountSeq: account.seq, balanceMinor: balanceAfterMinor, entriesAdded });
    }
  }
  return [...updates.values()];
};
