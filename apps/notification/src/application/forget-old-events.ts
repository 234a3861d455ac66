import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { InjectConfig, Logger } from '@payflow/service';

import type { NotificationConfig } from '../notification.config.js';
import { cancelOfDeleted, deleteOldDeliveries } from '../store/deliveries.js';
import { deleteOldEndpoints } from '../store/endpoints.js';
import { deleteOldEvents } from '../store/events.js';

const PAUSE_MS = 60_000;
const ROWS_MAX = 2_000;

/** Forgets events, what became of their webhooks, and endpoints that are gone, when their time is over: nothing that is owed. */
@Injectable()
export class ForgetOldEvents implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    logger: Logger,
    @InjectConfig() private readonly config: Pick<NotificationConfig, 'EVENT_RETENTION_DAYS'>,
  ) {
    this.loop = new Loop('forgetting events', logger, PAUSE_MS, () => this.step());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more */
  async step(): Promise<boolean> {
    const days = this.config.EVENT_RETENTION_DAYS;
    const done = [
      await cancelOfDeleted(this.database, ROWS_MAX),
      await deleteOldDeliveries(this.database, days, ROWS_MAX),
      await deleteOldEvents(this.database, days, ROWS_MAX),
      await deleteOldEndpoints(this.database, days, ROWS_MAX),
    ];
    return done.includes(ROWS_MAX);
  }
}
