import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';

import type { AcquirerDisputes } from '../clients/acquirer-port.js';
import { Acquirers } from '../clients/acquirers.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { advanceDisputeFeed, sweepFeedAgainAfter, takeUpDisputeFeed } from '../store/disputes.js';
import { insertDisputeNews } from '../store/psp-webhooks.js';
import { ProcessWebhooks } from './process-webhooks.js';

const POLL_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** In one go; what is left comes with the next sweep. */
const PAGES_MAX = 50;

/**
 * Reads the acquirers' feeds of disputes, so that a webhook that is lost loses nothing. What the feed tells is news like a
 * webhook, noted in the transaction that moves the cursor: no dispute holds up those behind it.
 */
@Injectable()
export class SweepDisputes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly acquirers: Acquirers,
    private readonly processing: ProcessWebhooks,
    @InjectConfig() private readonly config: PaymentConfig,
    logger: Logger,
  ) {
    this.loop = new Loop('dispute-feeds', logger, POLL_MS, async () => {
      await this.pass();
      return false;
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** Reads the feeds whose time has come. */
  async pass(): Promise<void> {
    await Promise.all(this.acquirers.namesWithDisputes().map(async (name) => await this.sweep(name)));
  }

  private async sweep(acquirer: string): Promise<void> {
    const disputes = this.acquirers.disputesOf(acquirer);
    const position = await takeUpDisputeFeed(this.database, acquirer, takenLeaseMs(this.config));
    if (position === undefined || !disputes) return;
    await this.read(acquirer, disputes, position);
    await sweepFeedAgainAfter(this.database, acquirer, this.config.DISPUTE_SWEEP_SECONDS * MS_PER_SECOND);
  }

  private async read(acquirer: string, disputes: AcquirerDisputes, from: number): Promise<void> {
    let position = from;
    for (let page = 0; page < PAGES_MAX; page += 1) {
      const changes = await disputes.changesAfter(position);
      const last = changes?.at(-1);
      if (changes === undefined || last === undefined || last.position <= position) return;
      position = last.position;
      await this.database.transaction(async (tx) => {
        await Promise.all([insertDisputeNews(tx, acquirer, changes), advanceDisputeFeed(tx, acquirer, last.position)]);
      });
      this.processing.poke();
    }
  }
}
