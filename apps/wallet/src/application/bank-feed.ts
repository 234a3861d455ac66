import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { BankPayoutChanges } from '@payflow/clients';
import { isId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { Bank } from '../clients/bank.js';
import type { WithdrawStage } from '../domain/withdraw.js';
import { findFeedPosition, storeFeedPosition } from '../store/bank-feeds.js';
import type { WalletConfig } from '../wallet.config.js';
import { pokeMoneyTimers } from './money-timers.js';
import { RecoverMoney } from './recover-money.js';
import { WithdrawSaga } from './withdraw-saga.js';

type Change = BankPayoutChanges['data'][number];

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
    private readonly saga: WithdrawSaga,
    private readonly recovery: RecoverMoney,
    logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
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
      for (const change of data) await this.apply(change);
      if (data.length === 0) return false;
      await storeFeedPosition(this.database, this.config.BANK_NAME, BigInt(nextPosition));
      return true;
    });
  }

  /** The bank pays for others too: what is none of ours is theirs. */
  private async apply({ reference, status, reason }: Change): Promise<void> {
    if (!isId('txn', reference)) return;
    const news = { kind: 'bank_said', status, reason } as const;
    const recorded = await this.saga.record(reference, { news }, undefined);
    // Whoever is just sending or posting it goes on by himself.
    if (recorded.kind !== 'changed' || !isLeftAlone(recorded.before.stage)) return;
    await pokeMoneyTimers(this.database, 'withdraw', [reference]);
    this.recovery.poke();
  }
}

const isLeftAlone = (stage: WithdrawStage): boolean => stage === 'ASKING' || stage === 'CANCELING' || stage === 'PAID';
