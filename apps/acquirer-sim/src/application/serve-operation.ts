import { setTimeout as wait } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import type { AcquirerMode, CardBehaviour } from '@payflow/contracts';
import { Database } from '@payflow/postgres';
import { InjectConfig } from '@payflow/service';

import { type AcquirerSimConfig, isControllable } from '../acquirer-sim.config.js';
import type { AcquirerName } from '../domain/acquirers.js';
import { type Fault, faultOfCard, faultOfMode } from '../domain/treatment.js';
import { loseRequest, type ModeOperation } from '../store/modes.js';
import { Modes, type TakenMode } from './modes.js';

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

/** What the caller gets: an answer, an error, or nothing at all. */
export type Served<Answer> =
  | { readonly kind: 'answer'; readonly answer: Answer }
  | { readonly kind: 'error' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'silence' };

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
    const ofMode = faultOfMode(mode.mode);
    const fault = ofMode ?? faultOfCard(asked.card);
    if (fault === 'unavailable') return { kind: 'unavailable' };
    await this.think(asked.operation, mode);
    if (isBeforeEffect(fault) && (ofMode !== undefined || (await this.losesFirst(asked)))) return failure(fault);
    const answer = await effect(mode);
    const failsAfterwards = isAfterEffect(fault) && (ofMode !== undefined || !answer.replayed);
    return failsAfterwards ? failure(fault) : { kind: 'answer', answer };
  }

  /** The header before the control route. */
  private async modeOf({ acquirer, operation, paymentOf, modeOfHeader }: Asked): Promise<TakenMode> {
    if (!this.controllable) return { mode: 'normal', latencyMs: null };
    if (modeOfHeader !== undefined) return { mode: modeOfHeader, latencyMs: null };
    return await this.modes.take(acquirer, operation, paymentOf);
  }

  /** Before the effect, so that a caller who gives up early meets an operation that still happens. */
  private async think(operation: ModeOperation, { mode, latencyMs }: TakenMode): Promise<void> {
    const slowMs = mode === 'slow' ? (latencyMs ?? this.config.PENDING_MS) : 0;
    const thinkMs = slowMs + (operation === 'inquiry' ? 0 : this.config.ACQUIRER_LATENCY_MS);
    if (thinkMs > 0) await wait(thinkMs);
  }

  private async losesFirst({ acquirer, reference }: Asked): Promise<boolean> {
    return await loseRequest(this.database, acquirer, reference);
  }
}

type FaultBefore = Extract<Fault, 'silence_before_effect' | 'error_before_effect'>;
type FaultAfter = Extract<Fault, 'silence_after_effect' | 'error_after_effect'>;

const isBeforeEffect = (fault: Fault | undefined): fault is FaultBefore =>
  fault === 'silence_before_effect' || fault === 'error_before_effect';
const isAfterEffect = (fault: Fault | undefined): fault is FaultAfter =>
  fault === 'silence_after_effect' || fault === 'error_after_effect';

const failure = (fault: FaultBefore | FaultAfter): Served<never> =>
  fault === 'silence_before_effect' || fault === 'silence_after_effect' ? { kind: 'silence' } : { kind: 'error' };
