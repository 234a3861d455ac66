import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { forgetVelocity } from '../store/velocity.js';
import { KEPT_MS } from './rebuild-features.js';

const PAUSE_MS = 60_000;
const ROWS_AT_ONCE = 5_000;

/** Counts that no window can reach any more are deleted, a few thousand at a time. Any number of instances may do it. */
@Injectable()
export class ForgetFeatures implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    logger: Logger,
  ) {
    this.loop = new Loop('forget features', logger, PAUSE_MS, () => this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more */
  async pass(): Promise<boolean> {
    const before = new Date(Date.now() - KEPT_MS);
    return (await forgetVelocity(this.database, before, ROWS_AT_ONCE)) === ROWS_AT_ONCE;
  }
}
