import { Injectable } from '@nestjs/common';
import { keyIn, Problem, refusalOfTwin, runInContext, type StoredAnswer } from '@payflow/service';

import { BeginTransfers, type Beginning } from './begin-transfers.js';
import { FinishTransfers } from './finish-transfers.js';
import { KnowOwners } from './know-owners.js';
import { ResumeTransfers } from './resume-transfers.js';
import type { PendingTransfer, TransferRequest } from './transfer-request.js';

/** Transfers that go together: at most what the ledger takes in one request. */
const BATCH_MAX = 250;
/** Sets whose posting or second commit is under way while the next is begun. */
const UNDER_WAY_MAX = 3;
/** Transfers that may wait: some seconds of work. */
const QUEUED_MAX = 5_000;

interface Waiting {
  readonly request: TransferRequest;
  readonly resolve: (answer: StoredAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Auth was asked about its sender. */
  readonly ownerAsked: boolean;
}

/**
 * Group commit for transfers: while one set is begun, others wait together for the next. A set is one commit, one request to
 * the ledger and a second commit (BeginTransfers, FinishTransfers), however many are in it; each caller gets his answer when
 * that second commit is durable. A set does not wait for the one before it to be posted, only to be begun.
 */
@Injectable()
export class TransferCommitter {
  private queue: Waiting[] = [];
  private draining = false;
  private readonly underWay = new Set<Promise<void>>();
  /** Keys and ids whose requests wait or are under way here, each with its transaction. */
  private readonly inUse = new Map<string, string>();

  constructor(
    private readonly beginTransfers: BeginTransfers,
    private readonly finishTransfers: FinishTransfers,
    private readonly resumeTransfers: ResumeTransfers,
    private readonly owners: KnowOwners,
  ) {}

  /**
   * The answer, durable: 200, 202 while it is PENDING, or the problem why it FAILED or may not be.
   *
   * @throws Problem what does not use the key up
   * @throws DatabaseUnavailableError nobody knows, and the repetition with the same key finds out
   */
  async send(request: TransferRequest): Promise<StoredAnswer> {
    const name = nameOf(request);
    const twin = this.inUse.get(name);
    if (twin !== undefined) throw refusalOfTwin(isKeyless(request), isKeyless(request) ? twin : undefined);
    if (this.queue.length >= QUEUED_MAX)
      throw new Problem('dependency_unavailable', { detail: 'More transfers wait than can be made in good time.' });
    this.inUse.set(name, request.transactionId);
    try {
      return await new Promise<StoredAnswer>((resolve, reject) => {
        this.enqueue({ request, resolve, reject, ownerAsked: false });
      });
    } finally {
      this.inUse.delete(name);
    }
  }

  private enqueue(waiting: Waiting): void {
    this.queue.push(waiting);
    // In nobody's context: what is done here is done for all who wait.
    if (!this.draining) void runInContext({}, () => this.drain());
  }

  private async drain(): Promise<void> {
    this.draining = true;
    while (this.queue.length > 0) {
      if (this.underWay.size >= UNDER_WAY_MAX) {
        await Promise.race(this.underWay);
        continue;
      }
      const batch = this.queue.slice(0, BATCH_MAX);
      this.queue = this.queue.slice(BATCH_MAX);
      await this.begin(batch);
    }
    this.draining = false;
  }

  /** Begins a set, and lets go of it when its first commit is done. Never rejects. */
  private async begin(batch: readonly Waiting[]): Promise<void> {
    try {
      const beginnings = await this.beginTransfers.begin(batch.map(({ request }) => request));
      const begun: { readonly waiting: Waiting; readonly transfer: PendingTransfer }[] = [];
      for (const [index, waiting] of batch.entries()) {
        const beginning = beginnings[index];
        if (beginning?.kind === 'begun') begun.push({ waiting, transfer: beginning.transfer });
        else this.settleUnbegun(waiting, beginning);
      }
      if (begun.length === 0) return;
      const work = this.finish(begun).finally(() => this.underWay.delete(work));
      this.underWay.add(work);
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }

  private settleUnbegun(waiting: Waiting, beginning: Exclude<Beginning, { readonly kind: 'begun' }> | undefined): void {
    const { resolve, reject } = waiting;
    switch (beginning?.kind) {
      case 'answered':
        resolve(beginning.answer);
        return;
      case 'refused':
        reject(beginning.problem);
        return;
      case 'owner_unknown':
        void this.askAboutOwner(waiting, beginning.userId).catch(reject);
        return;
      case 'known':
        this.resumeTransfers.resume(beginning.transactionId).then(resolve, reject);
        return;
      case undefined:
        reject(new Error('invariant: a transfer was left undecided'));
    }
  }

  /** The events may be late: auth itself is asked before somebody is refused for what they have not told. */
  private async askAboutOwner(waiting: Waiting, userId: string): Promise<void> {
    if (waiting.ownerAsked) throw new Problem('verification_required');
    const owner = await this.owners.refresh(userId);
    if (owner?.verified !== true) throw new Problem('verification_required');
    this.enqueue({ ...waiting, ownerAsked: true });
  }

  private async finish(
    begun: readonly { readonly waiting: Waiting; readonly transfer: PendingTransfer }[],
  ): Promise<void> {
    try {
      const finished = await this.finishTransfers.finish(begun.map(({ transfer }) => transfer));
      for (const [index, { waiting }] of begun.entries()) {
        const one = finished[index];
        if (one === undefined) waiting.reject(new Error('invariant: a transfer was left unfinished'));
        else waiting.resolve(one.answer);
      }
    } catch (error) {
      for (const { waiting } of begun) waiting.reject(error);
    }
  }
}

const isKeyless = ({ identity }: TransferRequest): boolean => identity !== undefined && identity.key === undefined;

const nameOf = ({ identity, transactionId }: TransferRequest): string =>
  identity === undefined ? transactionId : `${identity.scope}\u0000${keyIn(identity)}`;
