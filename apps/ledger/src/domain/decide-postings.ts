import { isBalanceOfFacts, isReservedCode } from './chart-of-accounts.js';
import type {
  Account,
  DecidedEntry,
  DraftGroup,
  GroupDecision,
  Outcome,
  Posting,
  PostingRefusal,
  PostingSide,
  TransactionDraft,
} from './journal.js';

/** A reference that was decided before: it is in the journal, or was refused for ever. */
export type SeenReference =
  { readonly transactionId: string; readonly contentHash: string } | { readonly refusal: PostingRefusal };

/**
 * Whether a refusal is for ever. A service records that its posting was refused; a copy of it that was on its way for long must
 * not be posted after that, when there is money by then.
 */
export const isFinalRefusal = (draft: TransactionDraft, refusal: PostingRefusal): boolean =>
  draft.refusalIsFinal && refusal.code === 'insufficient_funds';

/** What the decision rests on: read under the journal's lock, so that it is still true when the batch is written. */
export interface Books {
  readonly accounts: readonly Account[];
  readonly seen: Pick<ReadonlyMap<string, SeenReference>, 'get'>;
  readonly contentHashOf: (draft: TransactionDraft) => string;
}

/**
 * The largest balance either way of a client's account and of a wallet: 2^53 − 1, so that every balance is exact in JSON.
 * PayFlow's other accounts have no limit here: what an acquirer took is a fact, and one merchant's huge payments must not
 * keep the payments of others out of the journal.
 */
export const BALANCE_MINOR_MAX = 9_007_199_254_740_991n;

/**
 * Decides each draft of a batch in its turn, on the balances that the accepted ones before it left. A refused draft, or an
 * atomic group with a refusal in it, changes nothing for those behind it.
 */
export const decidePostings = (books: Books, groups: readonly DraftGroup[]): readonly GroupDecision[] => {
  const accountsByName = indexByName(books.accounts);
  const journal = new Working(new Map(), books.seen);
  return groups.map((group) => {
    if (!group.atomic) {
      return { posts: true, outcomes: group.drafts.map((draft) => decideDraft(draft, journal, accountsByName, books)) };
    }
    const attempt = new Working(journal.balances, journal.references);
    const outcomes = group.drafts.map((draft) => decideDraft(draft, attempt, accountsByName, books));
    const posts = outcomes.every((outcome) => outcome.kind !== 'refused');
    if (posts) attempt.mergeInto(journal);
    return { posts, outcomes };
  });
};

type AccountsByName = ReadonlyMap<string, readonly Account[]>;

/** Balances and references as the batch goes: its own changes over what lies below. */
class Working {
  private readonly changed = new Map<bigint, bigint>();
  private readonly added = new Map<string, SeenReference>();

  constructor(
    private readonly balancesBelow: Pick<ReadonlyMap<bigint, bigint>, 'get'>,
    private readonly referencesBelow: Pick<ReadonlyMap<string, SeenReference>, 'get'>,
  ) {}

  readonly balances = {
    get: (seq: bigint): bigint | undefined => this.changed.get(seq) ?? this.balancesBelow.get(seq),
  };
  readonly references = {
    get: (reference: string): SeenReference | undefined =>
      this.added.get(reference) ?? this.referencesBelow.get(reference),
  };

  balanceOf(account: Account): bigint {
    return this.balances.get(account.seq) ?? account.balanceMinor;
  }

  accept(reference: string, seen: SeenReference, balances: ReadonlyMap<bigint, bigint>): void {
    this.added.set(reference, seen);
    for (const [seq, balance] of balances) this.changed.set(seq, balance);
  }

  refuse(reference: string, refusal: PostingRefusal): void {
    this.added.set(reference, { refusal });
  }

  mergeInto(journal: Working): void {
    for (const [reference, seen] of this.added) journal.added.set(reference, seen);
    for (const [seq, balance] of this.changed) journal.changed.set(seq, balance);
  }
}

const decideDraft = (
  draft: TransactionDraft,
  working: Working,
  accountsByName: AccountsByName,
  books: Books,
): Outcome => {
  const contentHash = books.contentHashOf(draft);
  const seen = working.references.get(draft.reference);
  if (seen !== undefined) {
    if ('refusal' in seen) return { kind: 'refused', refusal: seen.refusal };
    return seen.contentHash === contentHash
      ? { kind: 'replayed', transactionId: seen.transactionId }
      : { kind: 'refused', refusal: { code: 'reference_taken', transactionId: seen.transactionId } };
  }
  const movements = resolveMovements(draft, accountsByName);
  if (!movements.ok) return { kind: 'refused', refusal: movements.refusal };
  const legs = moveBalances(movements.movements, working);
  if (!legs.ok) {
    if (isFinalRefusal(draft, legs.refusal)) working.refuse(draft.reference, legs.refusal);
    return { kind: 'refused', refusal: legs.refusal };
  }
  working.accept(draft.reference, { transactionId: draft.transactionId, contentHash }, legs.balances);
  return { kind: 'posted', draft, entries: legs.entries };
};

interface Movement {
  readonly posting: Posting;
  readonly from: Account;
  readonly to: Account;
}
type Refused = { readonly ok: false; readonly refusal: PostingRefusal };

/** Each posting's two accounts, or the first thing that is wrong with how they are named. */
const resolveMovements = (
  draft: TransactionDraft,
  accountsByName: AccountsByName,
): { readonly ok: true; readonly movements: readonly Movement[] } | Refused => {
  const movements: Movement[] = [];
  const refusals: PostingRefusal[] = [];
  for (const [postingIndex, posting] of draft.postings.entries()) {
    const from = resolveAccount(draft, postingIndex, posting, 'from', accountsByName);
    const to = resolveAccount(draft, postingIndex, posting, 'to', accountsByName);
    if (!from.ok) refusals.push(from.refusal);
    if (!to.ok) refusals.push(to.refusal);
    if (!from.ok || !to.ok) continue;
    if (from.account.seq === to.account.seq) {
      refusals.push({ code: 'posting_to_itself', postingIndex, account: from.account.code });
    }
    movements.push({ posting, from: from.account, to: to.account });
  }
  const refusal = firstByPrecedence(refusals);
  return refusal === undefined ? { ok: true, movements } : { ok: false, refusal };
};

const resolveAccount = (
  draft: TransactionDraft,
  postingIndex: number,
  posting: Posting,
  side: PostingSide,
  accountsByName: AccountsByName,
): { readonly ok: true; readonly account: Account } | Refused => {
  const name = posting[side];
  const named = accountsByName.get(name) ?? [];
  const where = { postingIndex, side, account: name, currency: posting.currency };
  const [any] = named;
  if (any === undefined) return { ok: false, refusal: { code: 'account_not_found', ...where } };
  if (draft.authority === 'client' && isReservedCode(any.code)) {
    return { ok: false, refusal: { code: 'account_reserved', ...where } };
  }
  const account = named.find(({ currency }) => currency === posting.currency);
  return account === undefined
    ? { ok: false, refusal: { code: 'currency_mismatch', ...where } }
    : { ok: true, account };
};

/** The order in which refusals of naming are told, whatever posting they are at. */
const NAMING_PRECEDENCE = ['account_not_found', 'account_reserved', 'currency_mismatch', 'posting_to_itself'] as const;

const firstByPrecedence = (refusals: readonly PostingRefusal[]): PostingRefusal | undefined =>
  NAMING_PRECEDENCE.map((code) => refusals.find((refusal) => refusal.code === code)).find(
    (refusal) => refusal !== undefined,
  );

/** Walks the postings in order: after each one both balances keep their bounds, so every `balance_after` does. */
const moveBalances = (
  movements: readonly Movement[],
  working: Working,
):
  | { readonly ok: true; readonly entries: readonly DecidedEntry[]; readonly balances: ReadonlyMap<bigint, bigint> }
  | Refused => {
  const balances = new Map<bigint, bigint>();
  const entries: DecidedEntry[] = [];
  const balanceOf = (account: Account): bigint => balances.get(account.seq) ?? working.balanceOf(account);
  for (const [postingIndex, { posting, from, to }] of movements.entries()) {
    const fromAfter = balanceOf(from) - posting.amountMinor;
    const toAfter = balanceOf(to) + posting.amountMinor;
    const where = { postingIndex, currency: posting.currency };
    if (from.floorMinor !== null && fromAfter < from.floorMinor) {
      return refused({ code: 'insufficient_funds', side: 'from', account: from.code, ...where });
    }
    if (!isBalanceOfFacts(from.code) && fromAfter < -BALANCE_MINOR_MAX) {
      return refused({ code: 'balance_out_of_range', side: 'from', account: from.code, ...where });
    }
    if (!isBalanceOfFacts(to.code) && toAfter > BALANCE_MINOR_MAX) {
      return refused({ code: 'balance_out_of_range', side: 'to', account: to.code, ...where });
    }
    balances.set(from.seq, fromAfter).set(to.seq, toAfter);
    const shared = { amountMinor: posting.amountMinor, entryType: posting.entryType };
    entries.push(
      { account: from, line: 2 * postingIndex + 1, direction: 'debit', balanceAfterMinor: fromAfter, ...shared },
      { account: to, line: 2 * postingIndex + 2, direction: 'credit', balanceAfterMinor: toAfter, ...shared },
    );
  }
  return { ok: true, entries, balances };
};

const refused = (refusal: PostingRefusal): Refused => ({ ok: false, refusal });

/** Accounts by code (one for each currency) and by id. */
const indexByName = (accounts: readonly Account[]): AccountsByName => {
  const byName = new Map<string, Account[]>();
  for (const account of accounts) {
    const sameCode = byName.get(account.code);
    if (sameCode) sameCode.push(account);
    else byName.set(account.code, [account]);
    byName.set(account.accountId, [account]);
  }
  return byName;
};
