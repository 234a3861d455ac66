import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { findOperation, lockReference } from '../store/book.js';
import { deleteDueResult, type DueResult, listDueResults, nextDueAt } from '../store/due-results.js';
import { BackgroundLoop } from './background-loop.js';
import { SettleResult } from './settle-result.js';

const RESULTS_MAX = 50;

/** Brings about the results that come of themselves. The timers are rows: a restart forgets none. */
@Injectable()
export class SettleDueResults implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly database: Database,
    private readonly settleResult: SettleResult,
    logger: Logger,
  ) {
    this.loop = new BackgroundLoop('due results', logger, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** A timer was set that may be earlier than all others. */
  poke(): void {
    this.loop.poke();
  }

  private async pass(): Promise<Date | null> {
    const due = await listDueResults(this.database, new Date(), RESULTS_MAX);
    await Promise.all(due.map(async (result) => await this.settle(result)));
    return await nextDueAt(this.database);
  }

  private async settle({ acquirer, reference, verdict }: DueResult): Promise<void> {
    await this.database.transaction(async (tx) => {
      await lockReference(tx, acquirer, reference);
      // The payer, a reversal or another instance may have been quicker.
      if (!(await deleteDueResult(tx, acquirer, reference))) return;
      const row = await findOperation(tx, acquirer, reference);
      if (row === undefined) throw new Error('invariant: the book lost a reference');
      await this.settleResult.run(tx, row, verdict, new Date());
    });
  }
}
