import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Logger, runInContext } from '@payflow/service';

import { Reviews } from './reviews.js';

const POLL_MS = 1_000;

/** Rejects what nobody decided in time. The reviews' rows are the timers, so a restart forgets none. */
@Injectable()
export class ReviewDeadline implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(reviews: Reviews, logger: Logger) {
    this.loop = new Loop('review deadline', logger, POLL_MS, () =>
      runInContext({ requestId: 'review-deadline' }, () => reviews.rejectOverdue()),
    );
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }
}
