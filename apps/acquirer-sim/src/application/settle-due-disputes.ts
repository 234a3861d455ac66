import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Database } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { listDueDisputes, listDueDisputeStates, nextDisputeDueAt } from '../store/due-disputes.js';
import { BackgroundLoop } from './background-loop.js';
import { RaiseDispute } from './raise-dispute.js';
import { RespondToDispute } from './respond-to-dispute.js';

const DISPUTES_MAX = 50;

/** Brings about the disputes of disputed cards, their deadlines and their decisions. The timers are rows. */
@Injectable()
export class SettleDueDisputes implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: BackgroundLoop;

  constructor(
    private readonly database: Database,
    private readonly raising: RaiseDispute,
    private readonly responding: RespondToDispute,
    logger: Logger,
  ) {
    this.loop = new BackgroundLoop('due disputes', logger, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  private async pass(): Promise<Date | null> {
    const at = new Date();
    for (const due of await listDueDisputes(this.database, at, DISPUTES_MAX)) await this.raising.whenDue(due);
    for (const due of await listDueDisputeStates(this.database, at, DISPUTES_MAX)) await this.responding.whenDue(due);
    return await nextDisputeDueAt(this.database);
  }
}
