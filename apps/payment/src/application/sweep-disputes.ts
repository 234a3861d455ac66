import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database, type Tx } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';

import type { AcquirerDisputes, DisputeChange } from '../clients/acquirer-port.js';
import { Acquirers } from '../clients/acquirers.js';
import { unrecordedDispute } from '../domain/exceptions.js';
import { type PaymentConfig, takenLeaseMs } from '../payment.config.js';
import { advanceDisputeFeed, sweepFeedAgainAfter, takeUpDisputeFeed } from '../store/disputes.js';
import { raiseException } from '../store/payment-exceptions.js';
import { insertDisputeNews } from '../store/psp-webhooks.js';
import { ProcessWebhooks } from './process-webhooks.js';

const POLL_MS = 1_000;
const MS_PER_SECOND = 1_000;
/** In one go; what is left comes with the next sweep. */
const PAGES_MAX = 50;

/**
 * Reads the acquirers' feeds of disputes, so that a webhook that is lost loses nothing. What the feed tells is news like a
 * webhook, noted in the transaction that moves the cursor: no dispute holds up those behind it, nor does an entry that
 * nobody can read, which is left to people.
 */
@Injectable()
export class SweepDisputes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly acquirers: Acquirers,
    private readonly processing: ProcessWebhooks,
    @InjectConfig() private readonly config: PaymentConfig,
    private readonly logger: Logger,
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
      if (changes === undefined) this.logger.warn({ acquirer, position }, 'a feed of disputes cannot be read');
      const end = Math.max(position, ...(changes ?? []).map((change) => change.position));
      if (changes === undefined || end === position) return;
      position = end;
      await this.database.transaction(async (tx) => {
        await Promise.all([
          insertDisputeNews(tx, acquirer, changes),
          ...changes.filter(({ reference }) => reference === null).map((entry) => this.passBy(tx, acquirer, entry)),
          advanceDisputeFeed(tx, acquirer, end),
        ]);
      });
      this.processing.poke();
    }
  }

  private async passBy(tx: Tx, acquirer: string, entry: DisputeChange): Promise<void> {
    const reference = `feed:${entry.position}`;
    this.logger.error({ acquirer, disputeReference: reference }, 'an entry of a feed of disputes cannot be read');
    await raiseException(tx, newId('pex'), null, unrecordedDispute(acquirer, reference, 'unreadable'));
  }
}
