import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { ServicePostingResult } from '@payflow/contracts';
import { Loop, Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { Ledger } from '../clients/ledger.js';
import { sideAfterCorrection } from '../domain/correction.js';
import { type CorrectionRow, endCorrection, takeApproved } from '../store/corrections.js';
import { acceptTheirLine } from '../store/expected-lines.js';
import { type ExceptionRow, findException, lockException, resolveException } from '../store/settlement-exceptions.js';
import { exceptionEvent } from './reconciliation-events.js';
import { sidesOf } from './sides-of-exception.js';

const POLL_MS = 1_000;
/** Longer than the ledger may take. */
const LEASE_MS = 20_000;
const TAKEN_MAX = 100;

/** The reference posts once for ever: a correction that was posted, and whose answer was lost, is found posted. */
export const correctionReference = (exceptionId: string): string => `settlement:${exceptionId}`;

/** Posts what a second person has approved, until the ledger has answered. */
@Injectable()
export class PostCorrections implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly outbox: Outbox,
    logger: Logger,
  ) {
    this.loop = new Loop('corrections', logger, POLL_MS, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  poke(): void {
    this.loop.poke();
  }

  private async pass(): Promise<boolean> {
    const taken = await takeApproved(this.database, LEASE_MS, TAKEN_MAX);
    if (taken.length === 0) return false;
    const results = await this.ledger.post(taken.map(postingOf));
    for (const [index, correction] of taken.entries()) {
      const result = results[index];
      if (result === undefined) throw new Error('invariant: the ledger left out an answer');
      await this.record(correction, result);
    }
    return taken.length === TAKEN_MAX;
  }

  private async record(correction: CorrectionRow, result: ServicePostingResult): Promise<void> {
    await this.database.transaction(async (tx) => {
      const row = await lockException(tx, correction.exceptionId);
      if (row === undefined) throw new Error('invariant: an exception is gone');
      const ended =
        result.status === 'posted'
          ? ({ status: 'POSTED', ledgerTransactionId: result.transactionId, failure: null } as const)
          : ({ status: 'FAILED', ledgerTransactionId: null, failure: result.code } as const);
      if (!(await endCorrection(tx, correction.id, ended)) || ended.status === 'FAILED') return;
      await this.settle(tx, row, correction);
    });
  }

  private async settle(tx: Tx, row: ExceptionRow, correction: CorrectionRow): Promise<void> {
    const at = new Date();
    const { ours, theirs } = await sidesOf(tx, row);
    const after = sideAfterCorrection(row.kind, ours, theirs);
    if (after !== undefined) {
      const { source, type, reference, paymentId, merchantId } = row;
      const known = { source, type, reference, paymentId, merchantId, occurredAt: theirs?.at ?? row.createdAt };
      await acceptTheirLine(tx, { ...known, ...after, seenIn: row.reportId });
    }
    const resolution = `Corrected: ${correction.reason}`;
    await resolveException(tx, row.id, { by: correction.decidedBy ?? correction.proposedBy, resolution, at });
    const resolved = await findException(tx, row.id);
    if (resolved !== undefined) await this.outbox.publish(tx, [exceptionEvent(resolved, at)]);
  }
}

const postingOf = ({ exceptionId, id, postings }: CorrectionRow) => ({
  reference: correctionReference(exceptionId),
  type: 'CORRECTION',
  postings: postings.map(({ from, to, amount, currency }) => ({ from, to, amount, currency })),
  accounts: postings.flatMap(({ from, to, currency }) => [from, to].map((code) => ({ code, currency, floor: null }))),
  metadata: { settlementExceptionId: exceptionId, correctionId: id },
});
