import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';

import { eraseSpentCards } from '../store/tokens.js';
import type { TokenizationConfig } from '../tokenization.config.js';

const BATCH_ROWS_MAX = 500;
const POLL_MS = 60_000;

/**
 * A card is kept no longer than it is of use (PCI DSS 3.2.1): a single-use token's card until an attempt that had no answer
 * is certainly resolved, an expired token's as long. What may be shown of it stays, for the history of payments.
 */
@Injectable()
export class EraseSpentCards implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private working: Promise<void> | undefined;
  private stopping = false;
  private poll: NodeJS.Timeout | undefined;

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    @InjectConfig() private readonly config: TokenizationConfig,
  ) {}

  onApplicationBootstrap(): void {
    this.work();
    this.poll = setInterval(() => {
      this.work();
    }, POLL_MS).unref();
  }

  async beforeApplicationShutdown(): Promise<void> {
    clearInterval(this.poll);
    this.stopping = true;
    await this.working;
  }

  private work(): void {
    this.working ??= this.eraseAll().finally(() => {
      this.working = undefined;
    });
  }

  private async eraseAll(): Promise<void> {
    try {
      let erased = BATCH_ROWS_MAX;
      while (erased === BATCH_ROWS_MAX && !this.stopping) {
        const before = new Date(Date.now() - this.config.SPENT_CARD_RETENTION_SECONDS * 1000);
        erased = await eraseSpentCards(this.database, before, BATCH_ROWS_MAX);
        if (erased > 0) this.logger.info({ cards: erased }, 'spent cards erased');
      }
    } catch (error) {
      // Safe to go on: the cards are encrypted, and the next poll tries again.
      this.logger.error({ err: error }, 'spent cards could not be erased');
    }
  }
}
