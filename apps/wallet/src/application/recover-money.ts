import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { type TakenTimer, takeDueTimers } from '../store/timers.js';
import { countAsked } from '../store/wallet-additions.js';
import { raiseWalletException } from '../store/wallet-exceptions.js';
import type { WalletConfig } from '../wallet.config.js';
import { AddSaga } from './add-saga.js';
import { MONEY_LEASE_MS } from './money-requests.js';
import { type MoneyTimerKind, putOff } from './money-timers.js';
import { WithdrawSaga } from './withdraw-saga.js';

const POLL_MS = 500;
/** Of each kind, at once in one instance: a silent bank leaves places for payments, and the other way round. */
const PLACES_MAX = 16;

/** The same each time: told again, it is the same case. */
const STUCK = 'Every inquiry has gone by, and its end is still unknown. It is asked about further on.';

const TABLES = { add: 'wallet_additions', withdraw: 'wallet_withdrawals' } as const satisfies Record<
  MoneyTimerKind,
  string
>;

/**
 * The timers of money that comes and goes: takes up what somebody outside has not answered, or whose process died. They are
 * rows, so a restart forgets nothing, and any number of instances may run this.
 */
@Injectable()
export class RecoverMoney implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;
  private readonly underWay: Readonly<Record<MoneyTimerKind, Set<Promise<void>>>> = {
    add: new Set(),
    withdraw: new Set(),
  };

  constructor(
    private readonly database: Database,
    private readonly additions: AddSaga,
    private readonly withdrawals: WithdrawSaga,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: WalletConfig,
  ) {
    this.loop = new Loop('money', logger, POLL_MS, async () => {
      await this.takeUp('add');
      await this.takeUp('withdraw');
      return false;
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    await Promise.all([...this.underWay.add, ...this.underWay.withdraw]);
  }

  /** There is something to do now. */
  poke(): void {
    this.loop.poke();
  }

  private async takeUp(kind: MoneyTimerKind): Promise<void> {
    const busy = this.underWay[kind];
    const places = PLACES_MAX - busy.size;
    if (places <= 0) return;
    for (const timer of await takeDueTimers(this.database, kind, MONEY_LEASE_MS, places)) {
      const work = this.resolve(kind, timer).finally(() => busy.delete(work));
      busy.add(work);
    }
  }

  /** One that fails does not hurt the others: it is looked at again, and comes to people like one that nobody answers. */
  private async resolve(kind: MoneyTimerKind, timer: TakenTimer): Promise<void> {
    await runInContext({ requestId: 'recovery' }, async () => {
      try {
        await (kind === 'add' ? this.additions : this.withdrawals).goOn(timer, true);
      } catch (error) {
        this.logger.warn({ err: error, transactionId: timer.subjectId }, 'money under way could not be resolved');
      }
      await this.putOff(kind, timer);
    });
  }

  /** Nothing of one that has ended is left to put off. */
  private async putOff(kind: MoneyTimerKind, timer: TakenTimer): Promise<void> {
    const delays = this.config.WALLET_INQUIRY_DELAYS_SECONDS;
    try {
      const asked = await countAsked(this.database, TABLES[kind], timer.subjectId);
      if (asked >= delays.length) await this.raiseStuck(timer, asked);
      await putOff(this.database, timer, asked, delays);
    } catch (error) {
      this.logger.warn({ err: error, transactionId: timer.subjectId }, 'a timer could not be given back');
    }
  }

  private async raiseStuck({ subjectId }: TakenTimer, asked: number): Promise<void> {
    const [pending] = await this.database.query(
      `SELECT FROM wallet_transactions WHERE id = $1 AND status = 'PENDING'`,
      [subjectId],
    );
    if (pending === undefined) return;
    this.logger.warn({ transactionId: subjectId, asked }, 'money under way is stuck');
    await raiseWalletException(this.database, { transactionId: subjectId, kind: 'stuck', detail: STUCK });
  }
}
