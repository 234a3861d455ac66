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
import { lockJournalHead } from '../store/journal-writes.js';
import { readBooks, writeDecisions } from './commit-transactions.js';

/** A request to post: what it wants, its key if it has one, and how its answer reads once it is decided. */
export interface JournalRequest {
  readonly group: DraftGroup;
  readonly identity: RequestIdentity;
  /** Of what its key stands for: the id of its first transaction. */
  readonly resourceId: string;
  readonly answerOf: (decision: GroupDecision) => StoredAnswer;
}

export type RequestOutcome =
  | { readonly kind: 'decided'; readonly decision: GroupDecision; readonly answer: StoredAnswer }
  /** Its key was used by the same request before. */
  | { readonly kind: 'answered'; readonly answer: StoredAnswer }
  /** Its key cannot be used for it. */
  | { readonly kind: 'refused'; readonly problem: Problem };

/**
 * Many requests in one transaction: their keys, what they post, and their answers (docs/adr/0010). The journal's lock comes
 * first and lets in one committer at a time, so a key found unused is still unused when its answer is stored.
 */
export const commitRequests = async (
  tx: Tx,
  requests: readonly JournalRequest[],
  idempotency: Idempotency,
): Promise<readonly RequestOutcome[]> => {
  const drafts = requests.flatMap(({ group }) => group.drafts);
  const [head, standings, books] = await Promise.all([
    lockJournalHead(tx),
    findStandings(
      tx,
      requests.map(({ identity }) => identity),
    ),
    readBooks(tx, drafts),
  ]);
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
    return { ...request, decision, answer: request.answerOf(decision) };
  });
  await Promise.all([writeDecisions(tx, head, decisions, books), storeAnswers(tx, answered, idempotency)]);
  crashPoint('ledger.after-write-before-commit');
  const decided = answered.values();
  return standings.map((standing): RequestOutcome => {
    if (standing.kind !== 'open') return standing;
    const { value } = decided.next();
    if (value === undefined) throw new Error('invariant: an open request was left undecided');
    return { kind: 'decided', decision: value.decision, answer: value.answer };
  });
};
