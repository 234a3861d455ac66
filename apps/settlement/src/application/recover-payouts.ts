import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { ServiceUnavailableError } from '@payflow/clients';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger, runInContext } from '@payflow/service';

import { PAYOUT_STUCK } from '../domain/payout.js';
import type { SettlementConfig } from '../settlement.config.js';
import { findPayout, type PayoutRow, putOffPayouts, takeDuePayouts } from '../store/payouts.js';
import { PayoutSaga } from './payout-saga.js';

const POLL_MS = 500;
/** At once in one instance: as many requests go to the bank together. */
const TAKEN_MAX = 32;
/** Longer than a payout's way through ledger and bank, each at its own deadline. */
const LEASE_MS = 60_000;

/** The timers of payouts: takes up what begins, what somebody outside has not answered, and what a process died with. */
@Injectable()
export class RecoverPayouts implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly saga: PayoutSaga,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: SettlementConfig,
  ) {
    this.loop = new Loop('payouts', logger, POLL_MS, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** There is something to do now. */
  poke(): void {
    this.loop.poke();
  }

  /** @returns whether there may be more that is due */
  private async pass(): Promise<boolean> {
    const taken = await takeDuePayouts(this.database, LEASE_MS, TAKEN_MAX);
    if (taken.length === 0) return false;
    await runInContext({ requestId: 'payouts' }, async () => {
      try {
        await this.saga.goOn(taken);
      } catch (error) {
        this.logger.warn({ err: error, count: taken.length }, 'payouts could not be gone on with');
        // The ledger's absence is nobody's fault; else one of them may be at fault.
        if (!(error instanceof ServiceUnavailableError)) await this.oneByOne(taken);
      }
      await this.putOff(taken);
    });
    return taken.length === TAKEN_MAX;
  }

  /** Alone, the one at fault holds up nobody. */
  private async oneByOne(taken: readonly PayoutRow[]): Promise<void> {
    if (taken.length === 1) return;
    for (const { id, fence } of taken) {
      try {
        const row = await findPayout(this.database, id);
        if (row?.fence === fence) await this.saga.goOn([row]);
      } catch (error) {
        this.logger.warn({ err: error, payoutId: id }, 'a payout could not be gone on with');
      }
    }
  }

  /** Nothing of one that has ended is left to put off. */
  private async putOff(taken: readonly PayoutRow[]): Promise<void> {
    const delays = this.config.PAYOUT_INQUIRY_DELAYS_SECONDS;
    await putOffPayouts(
      this.database,
      taken.map(({ id, fence, asked, stage }) => ({
        id,
        fence,
        seconds: delays[Math.min(asked - 1, delays.length - 1)] ?? 1,
        // One that waits for an account is no riddle.
        attention: asked > delays.length && stage !== 'WAITING' ? PAYOUT_STUCK : null,
      })),
    );
  }
}
