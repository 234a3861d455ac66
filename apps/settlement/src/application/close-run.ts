import { Injectable } from '@nestjs/common';
import { Database, DatabaseUnavailableError, type Tx } from '@payflow/postgres';
import { Logger } from '@payflow/service';

import { roundPauseMs } from '../domain/round-pause.js';
import type { BalanceKey } from '../store/merchant-balances.js';
import { listSetAside, setAside } from '../store/set-asides.js';
import {
  type HeldRun,
  holdRun,
  letRunWait,
  RUN_LEASE_MS,
  type RunRow,
  storeProgress,
} from '../store/settlement-runs.js';
import { listGroupsToClose } from '../store/settlements.js';
import { CloseGroups } from './close-groups.js';

/** So many merchants and currencies are closed in one commit. */
const GROUPS_MAX = 200;

/**
 * Goes through the merchants of a run whose lines are taken. One who cannot be closed is set aside, so that the others are
 * settled and paid: his batches stay open, and the run tries him again in rounds of its own, after pauses in which the next
 * runs go ahead. A database that is away is nobody's fault, and ends the pass.
 */
@Injectable()
export class CloseRun {
  constructor(
    private readonly database: Database,
    private readonly groups: CloseGroups,
    private readonly logger: Logger,
  ) {}

  /**
   * Closes the next of them, in one commit; when that fails, each in a commit of its own.
   *
   * @returns whether there may be more for now
   */
  async next(held: HeldRun, limit = GROUPS_MAX): Promise<boolean> {
    let keys: readonly BalanceKey[] = [];
    try {
      return await this.database.transaction(async (tx) => {
        const run = await holdRun(tx, held, RUN_LEASE_MS);
        if (run === undefined) return false;
        keys = run.rounds === 0 ? await listGroupsToClose(tx, run, limit) : await listSetAside(tx, run, limit);
        if (keys.length === 0) await this.endRound(tx, run);
        else await this.groups.close(tx, run, keys);
        return keys.length > 0;
      });
    } catch (error) {
      const [only, ...others] = keys;
      if (error instanceof DatabaseUnavailableError || only === undefined) throw error;
      if (others.length === 0) return await this.passBy(held, only, error);
      this.logger.warn(
        { err: error, runId: held.id, count: keys.length },
        'merchants are closed one by one: one fails',
      );
      let more = true;
      for (let closed = 0; closed < keys.length && more; closed += 1) more = await this.next(held, 1);
      return more;
    }
  }

  private async endRound(tx: Tx, run: RunRow): Promise<void> {
    if (run.setAsideCount > 0) await letRunWait(tx, run.id, roundPauseMs(run.rounds));
    else await storeProgress(tx, run.id, { phase: 'DONE', cursor: [] });
  }

  private async passBy(held: HeldRun, key: BalanceKey, error: unknown): Promise<boolean> {
    const reason = error instanceof Error ? error.message : String(error);
    const failures = await this.database.transaction(async (tx) => {
      const run = await holdRun(tx, held, RUN_LEASE_MS);
      if (run === undefined) return undefined;
      await storeProgress(tx, run.id, { phase: 'PAYING', cursor: [key.merchantId, key.currency] });
      return await setAside(tx, run.id, key, reason);
    });
    if (failures === undefined) return false;
    const { merchantId, currency } = key;
    this.logger.error({ err: error, runId: held.id, merchantId, currency, failures }, 'a merchant is set aside');
    return true;
  }
}
