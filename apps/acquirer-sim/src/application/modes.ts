import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { AcquirerMode, SetAcquirerMode } from '@payflow/contracts';
import { Database } from '@payflow/postgres';

import type { AcquirerName } from '../domain/acquirers.js';
import {
  deleteModes,
  findMode,
  isAnyModeSet,
  listModes,
  type ModeOperation,
  type ModeRow,
  setMode,
  useMode,
} from '../store/modes.js';

/** How one operation is to be treated. */
export interface TakenMode {
  readonly mode: AcquirerMode;
  readonly latencyMs: number | null;
}

export const NORMAL: TakenMode = { mode: 'normal', latencyMs: null };

/**
 * The modes that were set by the control route. The simulator runs as one process, which remembers whether there is any, so
 * that operations pay for modes only while some are set.
 */
@Injectable()
export class Modes implements OnApplicationBootstrap {
  private someSet = true;

  constructor(private readonly database: Database) {}

  async onApplicationBootstrap(): Promise<void> {
    this.someSet = await isAnyModeSet(this.database);
  }

  async set(acquirer: AcquirerName, wanted: SetAcquirerMode): Promise<void> {
    await setMode(this.database, acquirer, wanted, new Date());
    this.someSet = true;
  }

  async list(acquirer: AcquirerName): Promise<readonly ModeRow[]> {
    return await listModes(this.database, acquirer);
  }

  async clear(acquirer: AcquirerName): Promise<void> {
    await deleteModes(this.database, acquirer);
    this.someSet = await isAnyModeSet(this.database);
  }

  /** The mode for this operation; it is used up by one when it was set for a number of times. */
  async take(
    acquirer: AcquirerName,
    operation: ModeOperation,
    paymentOf: () => Promise<string | undefined>,
  ): Promise<TakenMode> {
    if (!this.someSet) return NORMAL;
    const paymentId = await paymentOf();
    for (;;) {
      const found = await findMode(this.database, acquirer, operation, paymentId);
      if (found === undefined) return NORMAL;
      // Whoever loses the race for the last time looks for the next mode that fits.
      if (found.timesLeft === null || (await useMode(this.database, found.modeId))) return found;
    }
  }
}
