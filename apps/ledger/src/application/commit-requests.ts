import type { Tx } from '@payflow/postgres';
import {
  crashPoint,
  findStandings,
  type Idempotency,
  type Problem,
  type RequestIdentity,
  type StoredAnswer,
  storeAnswers,
} from '@payflow/service';

import { decidePostings } from '../domain/decide-postings.js';
import type { DraftGroup, GroupDecision } from '../domain/journal.js';
import { insertFinalRefusals } from '../store/final-refusals.js';
import { lockExpectedHead, lockJournalHead } from '../store/journal-writes.js';
import { type BatchEffects, booksAfter, effectsOf } from './batch-effects.js';
import {
  accountsMissing,
  finalRefusalsIn,
  headBehind,
  postedIn,
  readBooks,
  withOpened,
  writePosted,
} from './commit-transactions.js';

/** An answer that is stored with the effect it tells of, where the request brought a key. */
export interface StoredAnswering {
  readonly identity: RequestIdentity;
  /** Of what its key stands for: the id of its first transaction. */
  readonly resourceId: string;
  readonly answerOf: (decision: GroupDecision) => StoredAnswer;
}

/** A request to post: what it wants, and how its answer reads once it is decided, where one is stored. */
export interface JournalRequest {
  readonly group: DraftGroup;
  readonly answering?: StoredAnswering;
}

export type RequestOutcome =
  | {
      readonly kind: 'decided';
      readonly decision: GroupDecision;
      /** When the batch was recorded; undefined when it posted nothing. */
      readonly recordedAt: Date | undefined;
      readonly answer: StoredAnswer | undefined;
    }
  /** Its key was used by the same request before. */
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  /** Its key cannot be used for it. */
  | { readonly kind: 'refused'; readonly problem: Problem };

const WITHOUT_KEY: RequestIdentity = { scope: '', key: undefined, hash: Buffer.alloc(0) };

/**
 * Many requests in one transaction: their keys, what they post, and their answers (docs/adr/0010).
 *
 * Without `ahead`, the journal's lock comes first and lets in one committer at a time: what is read behind it is still true
 * when it is written. With `ahead`, which tells what the batch before leaves behind, nobody waits for that one's commit to
 * read and decide; the lock comes with the writes, and they fail when the journal's head is not where `ahead` says.
 *
 * @param onDecided told what this batch will leave behind, when its writes are on their way
 */
export const commitRequests = async (
  tx: Tx,
  requests: readonly JournalRequest[],
  idempotency: Idempotency,
  ahead: BatchEffects | undefined,
  onDecided: (effects: BatchEffects) => void,
): Promise<readonly RequestOutcome[]> => {
  const drafts = requests.flatMap(({ group }) => group.drafts);
  const [head, standings, found] = await Promise.all([
    ahead?.head ?? lockJournalHead(tx),
    findStandings(
      tx,
      requests.map(({ answering }) => answering?.identity ?? WITHOUT_KEY),
    ),
    readBooks(tx, drafts),
  ]);
  // Accounts are opened behind the lock only: there, nobody who holds it waits for them.
  if (ahead !== undefined && accountsMissing(drafts, found.accounts).length > 0) await lockExpectedHead(tx, head);
  const complete = await withOpened(tx, drafts, found);
  const books = ahead === undefined ? complete : booksAfter(complete, ahead);
  const open = requests.flatMap((request, index) => {
    const standing = standings[index];
    return standing?.kind === 'open' ? [{ ...request, fence: standing.fence }] : [];
  });
  const decisions = decidePostings(
    books,
    open.map(({ group }) => group),
  );
  const answered = open.map((request, index) => {
    const decision = decisions[index];
    if (decision === undefined) throw new Error('invariant: a group was left undecided');
    return { ...request, decision, answer: request.answering?.answerOf(decision) };
  });
  const stored = answered.flatMap(({ answering, fence, answer }) =>
    answering === undefined || answer === undefined ? [] : [{ ...answering, fence, answer }],
  );
  const posted = postedIn(decisions);
  const refused = finalRefusalsIn(
    open.map(({ group }) => group),
    decisions,
  );
  const next = posted.length === 0 ? head : headBehind(head, posted);
  const written = Promise.all([
    // Refusals and replays rest on the batch before as postings do, so it is asked for whatever there is to write.
    ahead === undefined ? undefined : lockExpectedHead(tx, head),
    writePosted(tx, head, posted, books, next),
    storeAnswers(tx, stored, idempotency),
    insertFinalRefusals(tx, refused),
  ]);
  onDecided(effectsOf(next, posted, refused, books));
  const [, recordedAt] = await written;
  crashPoint('ledger.after-write-before-commit');
  const decided = answered.values();
  return standings.map((standing): RequestOutcome => {
    if (standing.kind !== 'open') return standing;
    const { value } = decided.next();
    if (value === undefined) throw new Error('invariant: an open request was left undecided');
    return { kind: 'decided', decision: value.decision, recordedAt, answer: value.answer };
  });
};
