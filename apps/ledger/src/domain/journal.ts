import type { Currency } from '@payflow/kernel';

/*
 * Words of the ledger, kept to everywhere:
 *
 * posting      one movement of an amount from one account to another. It has two legs.
 * entry        one leg as the journal holds it: the debit of `from` or the credit of `to`, with the balance after it.
 * transaction  one or more postings that stand or fall together. Its reference posts once for ever.
 * draft        a transaction that somebody wants; a decision makes a transaction of it, or refuses it.
 * group        the drafts of one request.
 * batch        the groups that one database transaction commits.
 * journal      every transaction, in the order of their positions, which is the order in which they were committed.
 * balance      credits − debits of an account.
 */

/** An amount moves from `from`, which is debited, to `to`, which is credited. */
export interface Posting {
  /** Code or id of an account. */
  readonly from: string;
  readonly to: string;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly entryType: string;
}

/** What a transaction belongs to, as far as it belongs to anything. */
export interface Provenance {
  readonly paymentId: string | null;
  readonly merchantId: string | null;
  readonly eventId: string | null;
  readonly acquirerReference: string | null;
  /** The transaction that this one takes back. */
  readonly reverts: string | null;
  /** Who posted; null for an event. */
  readonly postedBy: string | null;
  /** The request at the beginning of it all. */
  readonly correlationId: string | null;
}

export interface TransactionContent {
  readonly reference: string;
  readonly type: string;
  readonly postings: readonly Posting[];
  /** When it happened in the world; null: when it was recorded. */
  readonly effectiveAt: Date | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly provenance: Provenance;
}

/** In whose name a draft is written, and so what it may touch. */
export type DraftAuthority =
  /** An event of PayFlow's own: a fact. It may use every account. */
  | 'event'
  /** A service of PayFlow: may use every account. */
  | 'service'
  /** A person's, which a second person approved: may use every account, and corrects what went wrong. */
  | 'approved'
  /** A client with `ledger:post`: only accounts that exist and are not PayFlow's own. */
  | 'client';

export interface TransactionDraft extends TransactionContent {
  /** The id it gets if it is posted. */
  readonly transactionId: string;
  readonly authority: DraftAuthority;
  /** Accounts that are opened before it is decided where they are missing. One that is there is left as it is. */
  readonly opens: readonly AccountToOpen[];
  /** Refused for lack of money, its reference never posts: a service's. A client may try again when there is money. */
  readonly refusalIsFinal: boolean;
}

export interface AccountToOpen {
  readonly code: string;
  readonly currency: Currency;
  readonly floorMinor: bigint | null;
}

/** The drafts of one request. Atomic: all or none. */
export interface DraftGroup {
  readonly atomic: boolean;
  readonly drafts: readonly TransactionDraft[];
}

export interface Account {
  /** The database's narrow key. */
  readonly seq: bigint;
  readonly accountId: string;
  readonly code: string;
  readonly currency: Currency;
  /** The balance never goes below it. */
  readonly floorMinor: bigint | null;
  readonly balanceMinor: bigint;
}

export type Direction = 'debit' | 'credit';

/** A leg that was decided and is not yet recorded. */
export interface DecidedEntry {
  readonly account: Account;
  /** 1, 2, 3 … within the transaction: posting n has the lines 2n − 1 (debit) and 2n (credit). */
  readonly line: number;
  readonly direction: Direction;
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly entryType: string;
}

export type PostingSide = 'from' | 'to';

/** Why a draft is refused, in the order in which it is checked. */
export type PostingRefusal =
  | { readonly code: 'reference_taken'; readonly transactionId: string }
  | {
      readonly code: 'account_not_found' | 'account_reserved' | 'currency_mismatch';
      readonly postingIndex: number;
      readonly side: PostingSide;
      readonly account: string;
      readonly currency: Currency;
    }
  | { readonly code: 'posting_to_itself'; readonly postingIndex: number; readonly account: string }
  | {
      readonly code: 'insufficient_funds' | 'balance_out_of_range';
      readonly postingIndex: number;
      readonly side: PostingSide;
      readonly account: string;
      readonly currency: Currency;
    };

export type Outcome =
  | { readonly kind: 'posted'; readonly draft: TransactionDraft; readonly entries: readonly DecidedEntry[] }
  /** The reference was posted before, with the same content. */
  | { readonly kind: 'replayed'; readonly transactionId: string }
  | { readonly kind: 'refused'; readonly refusal: PostingRefusal };

/** An atomic group with a refusal in it posts nothing; its outcomes tell which of its drafts were at fault. */
export interface GroupDecision {
  readonly posts: boolean;
  readonly outcomes: readonly Outcome[];
}
