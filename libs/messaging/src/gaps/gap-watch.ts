import type { Database } from '@payflow/postgres';
import type { Logger } from '@payflow/service';

import type { Intake } from '../inbox/intake.js';
import { Loop } from '../loop.js';
import type { MessagingSettings } from '../settings.js';
import { claimGaps, type Gap } from './gap-sql.js';
import { type OwnerEvents, OwnerUnavailableError } from './owner-events.js';

const GAPS_MAX = 20;

/** Fetches what gates have missed for too long from the owner of the events. Kafka loses nothing; people and disks do. */
export class GapWatch {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly intakes: ReadonlyMap<string, Intake>,
    private readonly owners: OwnerEvents,
    private readonly logger: Logger,
    private readonly settings: MessagingSettings,
  ) {
    this.loop = new Loop('gaps', logger, settings.gapPollMs, () => this.pass());
  }

  start(): void {
    if (this.intakes.size > 0) this.loop.start();
  }

  async stop(): Promise<void> {
    await this.loop.stop();
  }

  private async pass(): Promise<boolean> {
    const ordered = [...this.intakes.values()].filter(({ binding }) => binding.ordered);
    const consumers = ordered.map(({ binding }) => binding.consumer);
    for (const gap of await claimGaps(this.database, consumers, this.settings.gapAgeMs, GAPS_MAX))
      await this.close(gap);
    return false;
  }

  private async close(gap: Gap): Promise<void> {
    const intake = this.intakes.get(gap.consumer);
    if (intake === undefined) return;
    try {
      const events = await this.owners.after(
        intake.binding.kind,
        gap.aggregateId,
        gap.nextSequence - 1,
        this.settings.fetchDeadlineMs,
      );
      this.logger.warn({ ...gap, fetched: events.length }, 'a gap in the order of events was fetched from the owner');
      if (events.length > 0) await intake.take(events);
    } catch (error) {
      if (!(error instanceof OwnerUnavailableError)) throw error;
      this.logger.warn({ ...gap, err: error }, 'a gap in the order of events stays open');
    }
  }
}
