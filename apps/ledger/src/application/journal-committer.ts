import { Injectable } from '@nestjs/common';
import { CommitOutcomeUnknownError, Database, DatabaseUnavailableError } from '@payflow/postgres';
import { crashPoint, Idempotency, Problem, type RequestIdentity, type StoredAnswer } from '@payflow/service';

import type { DraftGroup, GroupDecision } from '../domain/journal.js';
import type { BatchEffects } from './batch-effects.js';
import { commitRequests, type JournalRequest, type RequestOutcome, type StoredAnswering } from './commit-requests.js';
import { JournalMetrics } from './journal-metrics.js';

/** Postings of one batch: more make the commit longer than they save. A single larger request is a batch of its own. */
const BATCH_POSTINGS_MAX = 1_000;
/**
 * With so many postings waiting, the next batch is read and decided while the one before is written and committed: in bulk,
 * service and database work at once instead of in turns. With fewer it would only make batches smaller, and commits more.
 */
const READ_AHEAD_POSTINGS_MIN = 250;
/** Postings that may wait. At the measured rate of a small machine this is about a second of work. */
const QUEUED_POSTINGS_MAX = 20_000;

/** What became of a request that was not turned away. */
type Committed = Exclude<RequestOutcome, { readonly kind: 'refused' }>;

interface Waiting {
  readonly request: JournalRequest;
  readonly postings: number;
  readonly resolve: (outcome: Committed) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for requests: while one database transaction is on its way, the requests that arrive gather, and the next one
 * takes them all. Each caller gets the answer to his own once it is durable.
 */
@Injectable()
export class JournalCommitter {
  private readonly queue: Waiting[] = [];
  private queuedPostings = 0;
  private committing = false;
  /** Keys whose requests wait or are being committed. Twins in another instance wait for the journal's lock instead. */
  private readonly keysInUse = new Set<string>();

  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly metrics: JournalMetrics,
  ) {}

  /**
   * The answer, durable. A key is used up by it, and by nothing else: what is thrown was not committed, or nobody knows, and
   * the repetition finds out.
   *
   * @throws Problem idempotency_key_in_use | idempotency_key_reused; dependency_unavailable when too much waits
   * @throws DatabaseUnavailableError when the batch was not committed
   */
  async answer(group: DraftGroup, answering: StoredAnswering): Promise<StoredAnswer> {
    const key = inUseKeyOf(answering.identity);
    if (key !== undefined && this.keysInUse.has(key)) throw new Problem('idempotency_key_in_use');
    if (key !== undefined) this.keysInUse.add(key);
    try {
      const { answer } = await this.commit({ group, answering });
      if (answer === undefined) throw new Error('invariant: a request was left unanswered');
      return answer;
    } finally {
      if (key !== undefined) this.keysInUse.delete(key);
    }
  }

  /**
   * What became of each draft, durable, and when it was recorded (undefined: nothing of the batch was). For those who bring
   * no key, because their references post once for ever.
   *
   * @throws Problem dependency_unavailable when too much waits
   * @throws DatabaseUnavailableError when the batch was not committed
   */
  async post(group: DraftGroup): Promise<{ readonly decision: GroupDecision; readonly recordedAt: Date | undefined }> {
    const outcome = await this.commit({ group });
    if (outcome.kind !== 'decided') throw new Error('invariant: a request without a key was answered before');
    return outcome;
  }

  private async commit(request: JournalRequest): Promise<Committed> {
    const postings = request.group.drafts.reduce((sum, draft) => sum + draft.postings.length, 0);
    if (this.queuedPostings > 0 && this.queuedPostings + postings > QUEUED_POSTINGS_MAX) {
      throw new Problem('dependency_unavailable', { detail: 'the journal has more to write than it can in good time' });
    }
    return await new Promise<Committed>((resolve, reject) => {
      this.queue.push({ request, postings, resolve, reject });
      this.queuedPostings += postings;
      if (!this.committing) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.committing = true;
    let ahead: BatchEffects | undefined;
    let before = Promise.resolve();
    while (this.queue.length > 0) {
      const { decided, done } = this.send(this.takeBatch(), ahead);
      ahead = await decided;
      // Two at a time: what the next reads, this one alone may still change.
      await before;
      if (this.queuedPostings < READ_AHEAD_POSTINGS_MIN) {
        await done;
        ahead = undefined;
      }
      before = done;
    }
    this.committing = false;
  }

  /** `decided` tells what the batch will leave behind, or nothing when it failed; `done` never rejects. */
  private send(
    batch: readonly Waiting[],
    ahead: BatchEffects | undefined,
  ): { readonly decided: Promise<BatchEffects | undefined>; readonly done: Promise<void> } {
    let done = Promise.resolve();
    const decided = new Promise<BatchEffects | undefined>((resolve) => {
      done = this.commitBatch(batch, ahead, resolve).then(() => {
        resolve(undefined);
      });
    });
    return { decided, done };
  }

  private takeBatch(): readonly Waiting[] {
    let postings = 0;
    let requests = 0;
    for (const waiting of this.queue) {
      if (requests > 0 && postings + waiting.postings > BATCH_POSTINGS_MAX) break;
      postings += waiting.postings;
      requests += 1;
    }
    this.queuedPostings -= postings;
    return this.queue.splice(0, requests);
  }

  /** Settles every caller of the batch; never rejects. */
  private async commitBatch(
    batch: readonly Waiting[],
    ahead: BatchEffects | undefined,
    onDecided: (effects: BatchEffects) => void,
  ): Promise<void> {
    try {
      const requests = batch.map(({ request }) => request);
      const outcomes = await this.commitBehind(ahead, requests, onDecided);
      crashPoint('ledger.after-commit-before-answers');
      this.metrics.observe(
        'http',
        outcomes.flatMap((outcome) => (outcome.kind === 'decided' ? [outcome.decision] : [])),
      );
      for (const [index, waiting] of batch.entries()) settle(waiting, outcomes[index]);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private async commitBehind(
    ahead: BatchEffects | undefined,
    requests: readonly JournalRequest[],
    onDecided: (effects: BatchEffects) => void,
  ): Promise<readonly RequestOutcome[]> {
    const commit = async (rested: BatchEffects | undefined): Promise<readonly RequestOutcome[]> =>
      await this.database.transaction((tx) => commitRequests(tx, requests, this.idempotency, rested, onDecided));
    if (ahead === undefined) return await commit(undefined);
    try {
      return await commit(ahead);
    } catch (error) {
      if (error instanceof DatabaseUnavailableError || error instanceof CommitOutcomeUnknownError) throw error;
      // The batch before failed, or another was in between (an event, a reversal, another instance): nothing was written, and
      // behind the lock it is decided anew.
      return await commit(undefined);
    }
  }
}

const settle = ({ resolve, reject }: Waiting, outcome: RequestOutcome | undefined): void => {
  if (outcome === undefined) reject(new Error('invariant: a request was left undecided'));
  else if (outcome.kind === 'refused') reject(outcome.problem);
  else resolve(outcome);
};

const inUseKeyOf = ({ scope, key }: RequestIdentity): string | undefined =>
  key === undefined ? undefined : `${scope}\u0000${key}`;
