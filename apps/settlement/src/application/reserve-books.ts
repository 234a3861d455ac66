import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { SERVICE_POSTINGS_MAX } from '@payflow/contracts';
import { newId } from '@payflow/kernel';
import { Loop } from '@payflow/messaging';
import { Database } from '@payflow/postgres';
import { Logger, runInContext } from '@payflow/service';

import { Ledger } from '../clients/ledger.js';
import { reservePosting } from '../domain/postings.js';
import { insertMovements } from '../store/balance-transactions.js';
import { changeBalances } from '../store/merchant-balances.js';
import {
  listUnposted,
  lockReservesDue,
  markPosted,
  type ReservePostingKind,
  storeReleases,
} from '../store/reserves.js';

const POLL_MS = 1_000;

/**
 * Lets go what was kept back for long enough, and tells the ledger of both. The ledger posts a reference once, and what is not
 * marked is sent again: any number of instances may run this.
 */
@Injectable()
export class ReserveBooks implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly loop: Loop;

  constructor(
    private readonly database: Database,
    private readonly ledger: Ledger,
    private readonly logger: Logger,
  ) {
    this.loop = new Loop('reserves', logger, POLL_MS, async () => await this.pass());
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.loop.stop();
  }

  /** @returns whether there may be more */
  private async pass(): Promise<boolean> {
    return await runInContext({ requestId: 'reserves' }, async () => {
      const released = await this.release();
      const kept = await this.post('reserve');
      const freed = await this.post('release');
      return [released, kept, freed].some((count) => count === SERVICE_POSTINGS_MAX);
    });
  }

  private async release(): Promise<number> {
    return await this.database.transaction(async (tx) => {
      const due = (await lockReservesDue(tx, SERVICE_POSTINGS_MAX)).map((row) => ({ ...row, releaseId: newId('bt') }));
      if (due.length === 0) return 0;
      await insertMovements(
        tx,
        due.map(({ releaseId, merchantId, currency, amountMinor }) => ({
          id: releaseId,
          merchantId,
          currency,
          type: 'reserve_release',
          amountMinor,
          settlementId: null,
          payoutId: null,
        })),
      );
      await storeReleases(tx, due);
      await changeBalances(
        tx,
        due.map(({ merchantId, currency, amountMinor }) => ({
          merchantId,
          currency,
          availableMinor: amountMinor,
          reservedMinor: -amountMinor,
        })),
      );
      return due.length;
    });
  }

  private async post(kind: ReservePostingKind): Promise<number> {
    const rows = await listUnposted(this.database, kind, SERVICE_POSTINGS_MAX);
    if (rows.length === 0) return 0;
    const results = await this.ledger.post(rows.map((row) => reservePosting(row, row.settlementId, kind)));
    for (const result of results) {
      if (result.status === 'refused') this.logger.error({ result, kind }, 'the ledger refuses a posting of a reserve');
    }
    const posted = rows.filter((_, index) => results[index]?.status === 'posted').map(({ id }) => id);
    await markPosted(this.database, kind, posted);
    return posted.length;
  }
}
