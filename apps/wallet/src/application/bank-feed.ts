import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { isAbout, type ToldPayout } from '@payflow/clients';
import { isId, minorToJson } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { Bank } from '../clients/bank.js';
import type { WithdrawStage } from '../domain/withdraw.js';
import { findFeedPosition, storeFeedPosition } from '../store/bank-feeds.js';
import { raiseWalletException } from '../store/wallet-exceptions.js';
import { findTransaction } from '../store/wallet-transactions.js';
import type { WalletConfig } from '../wallet.config.js';
import { pokeMoneyTimers } from './money-timers.js';
import { RecoverMoney } from './recover-money.js';
import { WithdrawSaga } from './withdraw-saga.js';

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
    private readonly logger: Logger,
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

  /** The bank pays for others too: what is none of ours is theirs. What tells of another amount is for people. */
  private async apply(told: ToldPayout): Promise<void> {
    const { reference, status, reason, amount, currency } = told;
    const transaction = isId('txn', reference) ? await findTransaction(this.database, reference) : undefined;
    if (transaction === undefined) return;
    const ours = { reference, amount: minorToJson(transaction.amountMinor), currency: transaction.currency };
    if (!isAbout(told, ours)) {
      const detail = `the bank says ${status} of ${amount} ${currency} in minor units: it is another amount`;
      this.logger.error({ transactionId: reference, detail }, 'a withdrawal contradicts itself');
      await raiseWalletException(this.database, { transactionId: reference, kind: 'contradiction', detail });
      return;
    }
    const news = { kind: 'bank_said', status, reason } as const;
    const recorded = await this.saga.record(reference, { news }, undefined);
    // Whoever is just sending or posting it goes on by himself.
    if (recorded.kind !== 'changed' || !isLeftAlone(recorded.before.stage)) return;
    await pokeMoneyTimers(this.database, 'withdraw', [reference]);
    this.recovery.poke();
  }
}

const isLeftAlone = (stage: WithdrawStage): boolean => stage === 'ASKING' || stage === 'CANCELING' || stage === 'PAID';
