import { Injectable } from '@nestjs/common';
import type { Principal } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { type Answer, Idempotency, Problem, type RequestMeta, type StoredAnswer } from '@payflow/service';

import { type CorrectionPosting, correctionPostings } from '../domain/correction.js';
import { unpostableBecause } from '../domain/correction-posting.js';
import { exceptionView } from './reconciliation-views.js';
import {
  type CorrectionRow,
  decideCorrection,
  insertCorrection,
  isLineBeingCorrected,
  listCorrections,
  lockCorrection,
} from '../store/corrections.js';
import {
  assignException,
  type ExceptionRow,
  findException,
  lockException,
  resolveException,
} from '../store/settlement-exceptions.js';
import { PostCorrections } from './post-corrections.js';
import { exceptionEvent } from './reconciliation-events.js';
import { unchangedSidesOf } from './sides-of-exception.js';

export interface AskedOfException {
  readonly exceptionId: string;
  readonly principal: Principal;
  readonly meta: RequestMeta;
  readonly body: unknown;
}

const LEASE_MS = 10_000;
const OK = 200;
const ACCEPTED = 202;

/** What people do about differences. A correction moves money in the books, so a second person decides about it. */
@Injectable()
export class SettleExceptions {
  constructor(
    private readonly database: Database,
    private readonly idempotency: Idempotency,
    private readonly outbox: Outbox,
    private readonly posting: PostCorrections,
  ) {}

  async assign(asked: AskedOfException, assignee: string | null): Promise<StoredAnswer> {
    return await this.once(asked, async (tx, row) => {
      await assignException(tx, row.id, assignee);
      return OK;
    });
  }

  /** Without a posting: the reason says why none is needed. @throws Problem correction_waits */
  async resolve(asked: AskedOfException, reason: string): Promise<StoredAnswer> {
    return await this.once(asked, async (tx, row) => {
      const corrections = await listCorrections(tx, [row.id]);
      if (corrections.some(({ status }) => status === 'PENDING' || status === 'APPROVED'))
        throw new Problem('correction_waits');
      const at = new Date();
      await resolveException(tx, row.id, { by: asked.principal.id, resolution: reason, at });
      const resolved = await findException(tx, row.id);
      if (resolved !== undefined) await this.outbox.publish(tx, [exceptionEvent(resolved, at)]);
      return OK;
    });
  }

  /** @throws Problem difference_changed | correction_not_postable | correction_waits */
  async propose(asked: AskedOfException, reason: string): Promise<StoredAnswer> {
    return await this.once(asked, async (tx, row) => {
      const correction = { id: newId('apr'), exceptionId: row.id, postings: await currentPostings(tx, row) };
      const detail = unpostableBecause(correction);
      if (detail !== undefined) throw new Problem('correction_not_postable', { detail });
      const proposed = { reason, proposedBy: asked.principal.id, proposedAt: new Date() };
      if (!(await insertCorrection(tx, { ...correction, ...proposed }))) throw new Problem('correction_waits');
      return ACCEPTED;
    });
  }

  /**
   * The second person's yes, to a difference that is still there: committed first, posted then. An answer 202 says that the
   * ledger has not answered yet.
   *
   * @throws Problem own_correction | correction_not_found | correction_not_open | correction_waits | difference_changed
   */
  async approve(asked: AskedOfException, correctionId: string): Promise<StoredAnswer> {
    return await this.once(asked, async (tx, row) => {
      const { postings } = await this.decide(tx, asked, row, correctionId, 'APPROVED', null);
      const now = await currentPostings(tx, row);
      if (!samePostings(postings, now))
        throw new Problem('difference_changed', { detail: 'The posting would be another one now.' });
      if (await isLineBeingCorrected(tx, row))
        throw new Problem('correction_waits', {
          detail: 'Another correction of this line is on its way to the ledger.',
        });
      tx.onCommit(() => {
        this.posting.poke();
      });
      return ACCEPTED;
    });
  }

  /** Who proposed it may take it back so. @throws Problem correction_not_found | correction_not_open */
  async refuse(asked: AskedOfException, correctionId: string, reason: string): Promise<StoredAnswer> {
    return await this.once(asked, async (tx, row) => {
      await this.decide(tx, asked, row, correctionId, 'REFUSED', reason);
      return OK;
    });
  }

  private async decide(
    tx: Tx,
    { principal }: AskedOfException,
    row: ExceptionRow,
    correctionId: string,
    status: 'APPROVED' | 'REFUSED',
    failure: string | null,
  ): Promise<CorrectionRow> {
    const correction = await lockCorrection(tx, row.id, correctionId);
    if (correction === undefined) throw new Problem('correction_not_found');
    if (correction.status !== 'PENDING') throw new Problem('correction_not_open');
    if (status === 'APPROVED' && correction.proposedBy === principal.id) throw new Problem('own_correction');
    await decideCorrection(tx, correctionId, { status, by: principal.id, at: new Date(), failure });
    return correction;
  }

  /** Under the key, with the exception locked and open. The answer is the exception as it stands then. */
  private async once(
    { exceptionId, principal, meta, body }: AskedOfException,
    work: (tx: Tx, row: ExceptionRow) => Promise<number>,
  ): Promise<StoredAnswer> {
    const identity = this.idempotency.identify({ principal, meta, body });
    const options = { resourceId: exceptionId, leaseMs: LEASE_MS, moneyMoving: false };
    return await this.idempotency.runOnce(this.database, identity, options, async (tx): Promise<Answer> => {
      const row = await lockException(tx, exceptionId);
      if (row === undefined) throw new Problem('settlement_exception_not_found');
      if (row.status !== 'OPEN') throw new Problem('settlement_exception_resolved');
      const status = await work(tx, row);
      return { status, body: await this.viewOf(tx, exceptionId) };
    });
  }

  private async viewOf(tx: Tx, exceptionId: string): Promise<ReturnType<typeof exceptionView>> {
    const [row, corrections] = await Promise.all([findException(tx, exceptionId), listCorrections(tx, [exceptionId])]);
    if (row === undefined) throw new Error('invariant: an exception is gone');
    return exceptionView(row, corrections);
  }
}

/** With both sides read again. @throws Problem difference_changed */
const currentPostings = async (tx: Tx, row: ExceptionRow): Promise<readonly CorrectionPosting[]> => {
  const { ours, theirs } = await unchangedSidesOf(tx, row);
  return correctionPostings(row.kind, row.source, ours, theirs);
};

const samePostings = (some: readonly CorrectionPosting[], others: readonly CorrectionPosting[]): boolean =>
  some.length === others.length &&
  some.every(({ from, to, amount, currency }, index) => {
    const other = others[index];
    return other?.from === from && other.to === to && other.amount === amount && other.currency === currency;
  });
