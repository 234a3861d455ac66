import type { Database } from '@payflow/postgres';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';

import type { Logger } from './log.js';

/** Any number that no other lock of the database uses. */
const CLEANUP_LOCK = 7_201_510;
const ROWS_PER_RUN_MAX = 5_000;

/**
 * Deletes what has expired, at most 5,000 rows a run; of several instances, the one that gets the lock. A key that nobody has
 * completed stays a day longer: its owner may be alive, and with the row its fence would be gone, by which it is told that the
 * key is another's now.
 */
export const deleteExpiredKeys = async (database: Database): Promise<number> =>
  await database.transaction(async (tx) => {
    const [lock] = await tx.query<{ acquired: boolean }>('SELECT pg_try_advisory_xact_lock($1) AS acquired', [
      CLEANUP_LOCK,
    ]);
    if (lock?.acquired !== true) return 0;
    return await tx.execute(
      `DELETE FROM idempotency_keys WHERE (scope, key) IN (
         SELECT scope, key FROM idempotency_keys
          WHERE expires_at <= now() AND (state = 'done' OR expires_at <= now() - interval '1 day')
          ORDER BY expires_at LIMIT $1 FOR UPDATE SKIP LOCKED)`,
      [ROWS_PER_RUN_MAX],
    );
  });

/** Runs the clean-up on a timer until stopped. */
export class IdempotencyCleanup implements OnApplicationBootstrap, OnModuleDestroy {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();

  constructor(
    private readonly database: Database,
    private readonly logger: Logger,
    private readonly intervalMs: number,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.running = this.running.then(() => this.run());
    }, this.intervalMs).unref();
  }

  async onModuleDestroy(): Promise<void> {
    clearInterval(this.timer);
    await this.running;
  }

  private async run(): Promise<void> {
    try {
      await deleteExpiredKeys(this.database);
    } catch (error) {
      // What stays is deleted by a later run: an expired key is treated as new in any case.
      this.logger.warn({ err: error }, 'expired idempotency keys were not deleted');
    }
  }
}
