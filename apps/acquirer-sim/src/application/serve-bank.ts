import { setTimeout as wait } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import type { BankAccountBehaviour, BankMode, BankOperation } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import { type BankName, faultOfAccount, faultOfBankMode } from '../domain/bank.js';
import { findBankMode, useBankMode } from '../store/bank-modes.js';
import { loseRequest } from '../store/modes.js';
import { type Served, serveWithFault } from './serve-with-fault.js';

/** How one request is to be treated. */
export interface TakenBankMode {
  readonly mode: BankMode;
  readonly latencyMs: number | null;
}

/** A request, as far as its treatment depends on it. */
export interface AskedOfBank {
  readonly bank: BankName;
  readonly operation: BankOperation;
  readonly reference: string | undefined;
  /** Of the creditor's account. */
  readonly behaviour: BankAccountBehaviour | null;
  /** Of the header `x-bank-mode`. */
  readonly modeOfHeader: BankMode | undefined;
}

const NORMAL: TakenBankMode = { mode: 'normal', latencyMs: null };

/** Lets a request to the bank happen the way its mode or the creditor's account says. */
@Injectable()
export class ServeBank {
  private readonly controllable: boolean;

  constructor(
    private readonly database: Database,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {
    this.controllable = isControllable(config);
  }

  async run<Answer extends { readonly replayed: boolean }>(
    asked: AskedOfBank,
    effect: (mode: TakenBankMode) => Promise<Answer>,
  ): Promise<Served<Answer>> {
    const { bank, reference, behaviour } = asked;
    const mode = await this.modeOf(asked);
    return await serveWithFault(
      {
        ofMode: faultOfBankMode(mode.mode),
        ofInstrument: faultOfAccount(behaviour),
        losesFirst: async () => await loseRequest(this.database, `bank ${bank}`, reference ?? ''),
        think: async () => {
          const isSlow = mode.mode === 'slow' || behaviour === 'slow';
          if (isSlow) await wait(mode.latencyMs ?? this.config.PENDING_MS);
        },
      },
      async () => await effect(mode),
    );
  }

  /** The header before the control route. A mode is used up by one when it was set for a number of times. */
  private async modeOf({ bank, operation, reference, modeOfHeader }: AskedOfBank): Promise<TakenBankMode> {
    if (!this.controllable) return NORMAL;
    if (modeOfHeader !== undefined) return { mode: modeOfHeader, latencyMs: null };
    for (;;) {
      const found = await findBankMode(this.database, bank, operation, reference);
      if (found === undefined) return NORMAL;
      // Whoever loses the race for the last time looks for the next mode that fits.
      if (found.timesLeft === null || (await useBankMode(this.database, found.modeId))) return found;
    }
  }
}
