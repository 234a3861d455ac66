import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';

import { deleteOldInboxRows } from '../inbox/inbox-sql.js';
import { Loop } from '../loop.js';
import type { MessagingSettings } from '../settings.js';
import { deleteOldOutboxRows } from './relay-sql.js';

const PAUSE_MS = 60_000;
const ROWS_MAX = 2_000;

/** Forgets rows past their retention, in small steps; instances may do it at the same time. */
export class Housekeeping {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    logger: Logger,
    private readonly settings: MessagingSettings,
  ) {
    this.loop = new Loop('housekeeping', logger, PAUSE_MS, () => this.pass());
  }

  start(): void {
    this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async pass(): Promise<boolean> {
    const sent = await deleteOldOutboxRows(this.database, this.settings.outboxRetentionDays, ROWS_MAX);
    const received = await deleteOldInboxRows(this.database, this.settings.inboxRetentionDays, ROWS_MAX);
    return sent === ROWS_MAX || received === ROWS_MAX;
  }
}
