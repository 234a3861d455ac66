import { setTimeout as wait } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import type { AcquirerMode, CardBehaviour } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { faultOfCard, faultOfMode } from '../domain/treatment.js';
import { loseRequest, type ModeOperation } from '../store/modes.js';
import { Modes, type TakenMode } from './modes.js';
import { type Served, serveWithFault } from './serve-with-fault.js';

/** A request, as far as its treatment depends on it. */
export interface Asked {
  readonly acquirer: AcquirerName;
  readonly operation: ModeOperation;
  readonly reference: string;
  readonly paymentOf: () => Promise<string | undefined>;
  readonly card: CardBehaviour | null;
  /** Of the header `x-acquirer-mode`. */
  readonly modeOfHeader: AcquirerMode | undefined;
}

/** Lets an operation happen the way its mode or its card says: late, not at all, or without an answer. */
@Injectable()
export class ServeOperation {
  private readonly controllable: boolean;

  constructor(
    private readonly database: Database,
    private readonly modes: Modes,
    @InjectConfig() private readonly config: AcquirerSimConfig,
  ) {
    this.controllable = isControllable(config);
  }

  async run<Answer extends { readonly replayed: boolean }>(
    asked: Asked,
    effect: (mode: TakenMode) => Promise<Answer>,
  ): Promise<Served<Answer>> {
    const mode = await this.modeOf(asked);
    return await serveWithFault(
      {
        ofMode: faultOfMode(mode.mode),
        ofInstrument: faultOfCard(asked.card),
        losesFirst: async () => await loseRequest(this.database, asked.acquirer, asked.reference),
        think: async () => {
          await this.think(asked.operation, mode);
        },
      },
      async () => await effect(mode),
    );
  }

  /** The header before the control route. */
  private async modeOf({ acquirer, operation, paymentOf, modeOfHeader }: Asked): Promise<TakenMode> {
    if (!this.controllable) return { mode: 'normal', latencyMs: null };
    if (modeOfHeader !== undefined) return { mode: modeOfHeader, latencyMs: null };
    return await this.modes.take(acquirer, operation, paymentOf);
  }

  private async think(operation: ModeOperation, { mode, latencyMs }: TakenMode): Promise<void> {
    const slowMs = mode === 'slow' ? (latencyMs ?? this.config.PENDING_MS) : 0;
    const thinkMs = slowMs + (operation === 'inquiry' ? 0 : this.config.ACQUIRER_LATENCY_MS);
    if (thinkMs > 0) await wait(thinkMs);
  }
}
