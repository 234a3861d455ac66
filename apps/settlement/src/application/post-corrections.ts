import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { RemoteProblem } from '@payflow/clients';
import type { ServicePostingResult } from '@payflow/contracts';
import { Loop, Outbox } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { Ledger } from '../clients/ledger.js';
import { sideAfterCorrection } from '../domain/correction.js';
import { postingOf } from '../domain/correction-posting.js';
import { type CorrectionRow, endCorrection, takeApproved } from '../store/corrections.js';
import { bringInLine, changeExpectedLine } from '../store/expected-lines.js';
import { type ExceptionRow, findException, lockException, resolveException } from '../store/settlement-exceptions.js';
import { exceptionEvent } from './reconciliation-events.js';
import { sidesOf } from './sides-of-exception.js';

const POLL_MS = 1_000;
/** Longer than the ledger may take. */
const LEASE_MS = 20_000;
const TAKEN_MAX = 100;

/** Malformed, too large, against a rule. */
const UNREADABLE_STATUSES: readonly number[] = [400, 413, 422];

type Outcome = { readonly transactionId: string } | { readonly refusal: string };

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
    const outcomes = await this.post(taken);
    for (const [index, correction] of taken.entries()) {
      const outcome = outcomes[index];
      if (outcome === undefined) throw new Error('invariant: the ledger left out an answer');
      await this.record(correction, outcome);
    }
    return taken.length === TAKEN_MAX;
  }

  /** One that the ledger cannot even read has it refuse the whole set: then each is sent for itself. */
  private async post(taken: readonly CorrectionRow[]): Promise<readonly Outcome[]> {
    try {
      return (await this.ledger.post(taken.map(postingOf))).map(outcomeOf);
    } catch (error) {
      // Only these judge what was sent; a token that is not taken, or a rate that is exceeded, is over before long.
      if (!(error instanceof RemoteProblem) || !UNREADABLE_STATUSES.includes(error.status)) throw error;
      if (taken.length === 1) return [{ refusal: `${error.code}: ${error.detail ?? error.message}` }];
      const outcomes: Outcome[] = [];
      for (const correction of taken) outcomes.push(...(await this.post([correction])));
      return outcomes;
    }
  }

  private async record(correction: CorrectionRow, outcome: Outcome): Promise<void> {
    await this.database.transaction(async (tx) => {
      const row = await lockException(tx, correction.exceptionId);
      if (row === undefined) throw new Error('invariant: an exception is gone');
      const ended =
        'refusal' in outcome
          ? ({ status: 'FAILED', ledgerTransactionId: null, failure: outcome.refusal } as const)
          : ({ status: 'POSTED', ledgerTransactionId: outcome.transactionId, failure: null } as const);
      if (!(await endCorrection(tx, correction.id, ended)) || ended.status === 'FAILED') return;
      await this.settle(tx, row, correction);
    });
  }

  private async settle(tx: Tx, row: ExceptionRow, correction: CorrectionRow): Promise<void> {
    const at = new Date();
    const { ours, theirs } = await sidesOf(tx, row);
    const after = sideAfterCorrection(row.kind, ours, theirs);
    if (after !== undefined && row.kind !== 'missing_here') await changeExpectedLine(tx, row, after);
    if (after !== undefined && row.kind === 'missing_here') {
      const { source, type, reference, paymentId, merchantId } = row;
      const known = { source, type, reference, paymentId, merchantId, occurredAt: theirs?.at ?? row.createdAt };
      await bringInLine(tx, { ...known, ...after, seenIn: row.reportId });
    }
    const resolution = `Corrected: ${correction.reason}`;
    await resolveException(tx, row.id, { by: correction.decidedBy ?? correction.proposedBy, resolution, at });
    const resolved = await findException(tx, row.id);
    if (resolved !== undefined) await this.outbox.publish(tx, [exceptionEvent(resolved, at)]);
  }
}

const outcomeOf = (result: ServicePostingResult): Outcome =>
  result.status === 'posted'
    ? { transactionId: result.transactionId }
    : { refusal: `${result.code}: ${result.detail}` };
