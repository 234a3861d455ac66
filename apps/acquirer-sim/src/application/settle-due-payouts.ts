import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { mayBecome } from '../domain/bank.js';
import {
  deleteDueState,
  type DueState,
  findPayout,
  listDueStates,
  lockBank,
  nextStateDueAt,
} from '../store/bank-payouts.js';
import { BackgroundLoop } from './background-loop.js';
import { enterPayoutState } from './enter-payout-state.js';

const STATES_MAX = 50;

/** Brings about what the bank does later: pays what it accepted, refuses it, returns what it paid. The timers are rows. */
@Injectable()
export class SettleDuePayouts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly database: Database,
    logger: Logger,
  ) {
    this.loop = new BackgroundLoop('due payouts', logger, async () => await this.pass());
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
    for (const due of await listDueStates(this.database, new Date(), STATES_MAX)) await this.settle(due);
    return await nextStateDueAt(this.database);
  }

  private async settle({ bank, reference, status, reason }: DueState): Promise<void> {
    await this.database.transaction(async (tx) => {
      await lockBank(tx, bank);
      // A cancellation, a return or another instance may have been quicker.
      if (!(await deleteDueState(tx, bank, reference))) return;
      const payout = await findPayout(tx, bank, reference);
      if (payout === undefined) throw new Error('invariant: the bank lost a reference');
      if (mayBecome(payout.status, status)) {
        await enterPayoutState(tx, bank, reference, { status, reason }, new Date());
      }
    });
  }
}
