import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { ToldPayout } from '@payflow/clients';
import { isId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { Bank } from '../clients/bank.js';
import type { PayoutStage } from '../domain/payout.js';
import type { SettlementConfig } from '../settlement.config.js';
import { findFeedPosition, storeFeedPosition } from '../store/bank-feeds.js';
import { pokePayouts } from '../store/payouts.js';
import { PayoutSaga } from './payout-saga.js';
import { RecoverPayouts } from './recover-payouts.js';

/**
 * Reads what changed at the bank, in order, from where it was last read: so a payout that comes back after it was paid is
 * seen, and one that was only accepted ends at once. Changes are recorded before the position is; read twice they change
 * nothing.
 */
@Injectable()
export class BankFeed implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly bank: Bank,
    private readonly saga: PayoutSaga,
    private readonly recovery: RecoverPayouts,
    logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {
    this.loop = new Loop('bank feed', logger, config.BANK_FEED_POLL_MS, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more at once */
  private async pass(): Promise<boolean> {
    return await runInContext({ requestId: 'bank-feed' }, async () => {
      const position = await findFeedPosition(this.database, this.config.BANK_NAME);
      const { data, nextPosition } = await this.bank.changes(position);
      if (data.length === 0) return false;
      // In order: a payout may have several changes in one page. The bank pays for others too, whose references are theirs.
      for (const change of data) {
        if (isId('po', change.reference)) await this.apply(change);
      }
      await storeFeedPosition(this.database, this.config.BANK_NAME, BigInt(nextPosition));
      return true;
    });
  }

  private async apply(told: ToldPayout): Promise<void> {
    const changed = await this.saga.hear(told);
    // Whoever is just sending or posting it goes on by himself.
    if (changed === undefined || !isLeftAlone(changed.before.stage)) return;
    await pokePayouts(this.database, [told.reference]);
    this.recovery.poke();
  }
}

/** A payout that is to be sent may wait for a day: whoever sends it this moment loses his fence, and the reference pays once. */
const LEFT_ALONE: readonly PayoutStage[] = ['SENDING', 'ASKING', 'CANCELING', 'PAID'];
const isLeftAlone = (stage: PayoutStage): boolean => LEFT_ALONE.includes(stage);
