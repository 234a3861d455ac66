import { Injectable } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { crashPoint, Problem } from '@payflow/service';

import type { DraftGroup, GroupDecision } from '../domain/journal.js';
import { commitTransactions } from './commit-transactions.js';
import { JournalMetrics } from './journal-metrics.js';

/** Postings of one batch: more make the commit longer than they save. A single larger request is a batch of its own. */
const BATCH_POSTINGS_MAX = 1_000;
/** Postings that may wait. At the measured rate of a small machine this is about a second of work. */
const QUEUED_POSTINGS_MAX = 20_000;

interface Waiting {
  readonly group: DraftGroup;
  readonly postings: number;
  readonly resolve: (decision: GroupDecision) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Group commit for requests: while one database transaction is on its way, the requests that arrive gather, and the next one
 * takes them all. Each caller gets the decision on his own group once it is durable.
 */
@Injectable()
export class JournalCommitter {
  private readonly queue: Waiting[] = [];
  private queuedPostings = 0;
  private committing = false;

  constructor(
    private readonly database: Database,
    private readonly metrics: JournalMetrics,
  ) {}

  /** @throws Problem dependency_unavailable when too much waits; DatabaseUnavailableError when the batch was not committed. */
  async commit(group: DraftGroup): Promise<GroupDecision> {
    const postings = group.drafts.reduce((sum, draft) => sum + draft.postings.length, 0);
    if (this.queuedPostings > 0 && this.queuedPostings + postings > QUEUED_POSTINGS_MAX) {
      throw new Problem('dependency_unavailable', { detail: 'the journal has more to write than it can in good time' });
    }
    return await new Promise<GroupDecision>((resolve, reject) => {
      this.queue.push({ group, postings, resolve, reject });
      this.queuedPostings += postings;
      if (!this.committing) void this.drain();
    });
  }

  private async drain(): Promise<void> {
    this.committing = true;
    while (this.queue.length > 0) await this.commitBatch(this.takeBatch());
    this.committing = false;
  }

  private takeBatch(): readonly Waiting[] {
    let postings = 0;
    let groups = 0;
    for (const waiting of this.queue) {
      if (groups > 0 && postings + waiting.postings > BATCH_POSTINGS_MAX) break;
      postings += waiting.postings;
      groups += 1;
    }
    this.queuedPostings -= postings;
    return this.queue.splice(0, groups);
  }

  /** Settles every caller of the batch; never rejects. */
  private async commitBatch(batch: readonly Waiting[]): Promise<void> {
    try {
      const groups = batch.map(({ group }) => group);
      const decisions = await this.database.transaction((tx) => commitTransactions(tx, groups));
      crashPoint('ledger.after-commit-before-answers');
      this.metrics.observe('http', decisions);
      for (const [index, { resolve, reject }] of batch.entries()) {
        const decision = decisions[index];
        if (decision === undefined) reject(new Error('invariant: a group was left undecided'));
        else resolve(decision);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
