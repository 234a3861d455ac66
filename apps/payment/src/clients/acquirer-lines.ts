import { setTimeout as wait } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import { InjectConfig, Logger, Metrics } from '@payflow/service';
import {
  bulkhead,
  type BulkheadPolicy,
  BulkheadRejectedError,
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  CircuitState,
  ConsecutiveBreaker,
  handleWhenResult,
  TaskCancelledError,
} from 'cockatiel';
import { Counter, Gauge, Histogram } from 'prom-client';

import type { AcquirerOutcome } from '../domain/commands.js';
import type { BreakerState } from '../domain/routing.js';
import { acquirerNames, type PaymentConfig } from '../payment.config.js';
import { CONNECTION_REASONS } from './acquirer-answer.js';

const FAILURES_UNTIL_OPEN = 10;
const OPEN_MS = 2_000;
const TRIES_MAX = 3;
const RETRY_DELAY_MS = 100;
/** Shorter than the margin of a claim's lease: whoever has waited so long goes to another acquirer. */
const QUEUE_WAIT_MS_MAX = 1_000;

const BUSY: AcquirerOutcome = { kind: 'not_sent', reason: 'acquirer_busy' };
const LEFT_ALONE: AcquirerOutcome = { kind: 'not_sent', reason: 'acquirer_left_alone' };

const STATE_NUMBERS: Readonly<Record<BreakerState, number>> = { closed: 0, half_open: 1, open: 2 };

const isConnectionFailure = (outcome: unknown): boolean => {
  const { kind, reason } = outcome as { readonly kind: string; readonly reason?: string };
  return (kind === 'unanswered' || kind === 'not_sent') && CONNECTION_REASONS.has(reason ?? '');
};

const mayBeTriedAgain = (outcome: AcquirerOutcome): boolean =>
  outcome.kind === 'not_sent' && outcome.reason === 'acquirer_unreachable';

/**
 * The way to each acquirer. What certainly was not sent is sent again, briefly; silence is not: that is for an inquiry.
 * An acquirer that failed ten times in a row is left alone for a moment (a circuit breaker), and one that is slow keeps
 * only its own places busy (a bulkhead). Both refusals are `not_sent`: another acquirer may be tried at once.
 */
@Injectable()
export class AcquirerLines {
  private readonly lines: ReadonlyMap<string, AcquirerLine>;
  private readonly requests: Counter<'acquirer' | 'outcome'>;
  private readonly durations: Histogram<'acquirer'>;

  constructor(@InjectConfig() config: PaymentConfig, metrics: Metrics, logger: Logger) {
    const lines = new Map(acquirerNames(config).map((name) => [name, new AcquirerLine(name, config, logger)] as const));
    this.lines = lines;
    this.requests = new Counter({
      name: 'payflow_acquirer_requests_total',
      help: 'Orders to an acquirer by outcome, refused ones included: not_sent is by the breaker, the bulkhead or the way there.',
      labelNames: ['acquirer', 'outcome'],
      registers: [metrics],
    });
    this.durations = new Histogram({
      name: 'payflow_acquirer_request_duration_seconds',
      help: 'Duration of an order to an acquirer, waiting for a place included.',
      labelNames: ['acquirer'],
      buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers: [metrics],
    });
    new Gauge({
      name: 'payflow_acquirer_breaker_state',
      help: 'Breaker of an acquirer: 0 closed, 1 the next order tries it, 2 open.',
      labelNames: ['acquirer'] as const,
      registers: [metrics],
      collect() {
        for (const [acquirer, { breakerState }] of lines) this.set({ acquirer }, STATE_NUMBERS[breakerState]);
      },
    });
    new Gauge({
      name: 'payflow_acquirer_places_in_use',
      help: 'Orders that are at an acquirer now, of the places of its bulkhead.',
      labelNames: ['acquirer'] as const,
      registers: [metrics],
      collect() {
        for (const [acquirer, { placesInUse }] of lines) this.set({ acquirer }, placesInUse);
      },
    });
  }

  async send(acquirer: string, call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> {
    const line = this.lines.get(acquirer);
    if (!line) return { kind: 'not_sent', reason: 'acquirer_unknown' };
    const stop = this.durations.startTimer({ acquirer });
    const outcome = await line.send(call);
    stop();
    this.requests.inc({ acquirer, outcome: outcome.kind });
    return outcome;
  }

  /** As this instance sees it: each finds out by its own orders. */
  breakerOf(acquirer: string): BreakerState {
    return this.lines.get(acquirer)?.breakerState ?? 'open';
  }
}

class AcquirerLine {
  private readonly breaker: CircuitBreakerPolicy;
  private readonly places: BulkheadPolicy;
  private readonly placesMax: number;
  private openedAtMs = 0;
  private reportedOpen = false;

  constructor(
    private readonly name: string,
    config: Pick<PaymentConfig, 'ACQUIRER_CONCURRENCY_MAX' | 'ACQUIRER_QUEUE_MAX'>,
    private readonly logger: Logger,
  ) {
    this.placesMax = config.ACQUIRER_CONCURRENCY_MAX;
    this.places = bulkhead(this.placesMax, config.ACQUIRER_QUEUE_MAX);
    this.breaker = circuitBreaker(handleWhenResult(isConnectionFailure), {
      breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
      halfOpenAfter: OPEN_MS,
    });
    this.breaker.onBreak(() => {
      this.noteOpen();
    });
    this.breaker.onReset(() => {
      this.noteClosed();
    });
  }

  /**
   * While one order tries an acquirer that was left alone, the others go on leaving it alone: they would only wait for that
   * order. Once it is due for such a try it counts as fit for an order, or none would ever be sent.
   */
  get breakerState(): BreakerState {
    if (this.breaker.state === CircuitState.Closed) return 'closed';
    const isDue = this.breaker.state === CircuitState.Open && Date.now() - this.openedAtMs >= OPEN_MS;
    return isDue ? 'half_open' : 'open';
  }

  get placesInUse(): number {
    return this.placesMax - this.places.executionSlots;
  }

  async send(call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> {
    if (this.breakerState === 'open') return LEFT_ALONE;
    try {
      return await this.inPlace(async () => await this.throughBreaker(call));
    } catch (error) {
      if (error instanceof BulkheadRejectedError || error instanceof TaskCancelledError) return BUSY;
      throw error;
    }
  }

  private async throughBreaker(call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> {
    if (this.breakerState === 'open') return LEFT_ALONE;
    try {
      return await this.breaker.execute(async () => await withRetries(call));
    } catch (error) {
      if (error instanceof BrokenCircuitError) return LEFT_ALONE;
      throw error;
    }
  }

  /** @throws BulkheadRejectedError | TaskCancelledError when there was no place, and none came free in time */
  private async inPlace(order: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> {
    if (this.places.executionSlots > 0) return await this.places.execute(order);
    const patience = new AbortController();
    const timer = setTimeout(() => {
      patience.abort();
    }, QUEUE_WAIT_MS_MAX);
    const outOfPatience = new Promise<never>((_, reject) => {
      patience.signal.addEventListener('abort', () => {
        reject(new TaskCancelledError());
      });
    });
    const started = async (): Promise<AcquirerOutcome> => {
      clearTimeout(timer);
      return await order();
    };
    try {
      // Its turn comes later all the same, and finds by the signal that nobody waits.
      return await Promise.race([this.places.execute(started, patience.signal), outOfPatience]);
    } finally {
      clearTimeout(timer);
    }
  }

  private noteOpen(): void {
    this.openedAtMs = Date.now();
    if (this.reportedOpen) return;
    this.reportedOpen = true;
    this.logger.warn({ acquirer: this.name }, 'the acquirer failed too often in a row and is left alone');
  }

  private noteClosed(): void {
    this.reportedOpen = false;
    this.logger.info({ acquirer: this.name }, 'the acquirer answers again');
  }
}

const withRetries = async (call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> => {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await call();
    if (!mayBeTriedAgain(outcome) || attempt === TRIES_MAX) return outcome;
    await wait(RETRY_DELAY_MS * attempt * (0.5 + Math.random()));
  }
};
