import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Cron, CronExpression } from '@nestjs/schedule';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import type { SettlementConfig } from '../settlement.config.js';
import { giveRunBack, insertRun, RUN_LEASE_MS, takeRun } from '../store/settlement-runs.js';
import { RecoverPayouts } from './recover-payouts.js';
import { SettleRun } from './settle-run.js';

const POLL_MS = 1_000;
const MINUTE_MS = 60_000;

/**
 * The job that settles. Runs are rows: the schedule and people ask for them, and of all instances one has a run in hand, until
 * it is done, waits for whom it set aside, or its lease has run out; then the next goes on where that one stopped.
 */
@Injectable()
export class SettlementJob implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly settling: SettleRun,
    private readonly payouts: RecoverPayouts,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {
    this.loop = new Loop('settlement runs', logger, POLL_MS, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** A run was asked for. */
  poke(): void {
    this.loop.poke();
  }

  /**
   * Asks for the run of the current slot of the schedule, if nobody has: so a slot that passed while nothing ran is made up
   * for, once, and any number of instances may tick.
   */
  @Cron(CronExpression.EVERY_MINUTE)
  async tick(): Promise<void> {
    const everyMs = this.config.SETTLEMENT_EVERY_MINUTES * MINUTE_MS;
    const slot = new Date(Math.floor(Date.now() / everyMs) * everyMs);
    try {
      const run = { id: newId('srn'), merchantId: null, cutoffAt: slot, requestedBy: null, scheduledFor: slot };
      if (await insertRun(this.database, run)) this.poke();
    } catch (error) {
      this.logger.warn({ err: error, slot }, 'a settlement run could not be asked for; the next minute tries again');
    }
  }

  /** @returns whether another run may wait */
  private async pass(): Promise<boolean> {
    const run = await this.database.transaction(async (tx) => await takeRun(tx, RUN_LEASE_MS));
    if (run === undefined) return false;
    return await runInContext({ requestId: run.id }, async () => {
      try {
        while (await this.settling.step(run)) {
          if (this.loop.isStopping) return false;
        }
        this.payouts.poke();
        return true;
      } finally {
        await giveRunBack(this.database, run);
      }
    });
  }
}
