import { setTimeout as wait } from 'node:timers/promises';

import { Injectable } from '@nestjs/common';
import {
  BrokenCircuitError,
  circuitBreaker,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  handleWhenResult,
} from 'cockatiel';

import type { AcquirerOutcome } from '../domain/commands.js';
import { CONNECTION_REASONS } from './acquirer-answer.js';

const FAILURES_UNTIL_OPEN = 10;
const OPEN_MS = 2_000;
const TRIES_MAX = 3;
const RETRY_DELAY_MS = 100;

const isConnectionFailure = (outcome: unknown): boolean => {
  const { kind, reason } = outcome as { readonly kind: string; readonly reason?: string };
  return (kind === 'unanswered' || kind === 'not_sent') && CONNECTION_REASONS.has(reason ?? '');
};

const mayBeTriedAgain = (outcome: AcquirerOutcome): boolean =>
  outcome.kind === 'not_sent' && outcome.reason === 'acquirer_unreachable';

/**
 * The way to each acquirer. What certainly was not sent is sent again, briefly; silence is not: that is for an inquiry.
 * An acquirer that failed ten times in a row is left alone for a moment (a circuit breaker).
 */
@Injectable()
export class AcquirerLines {
  private readonly breakers = new Map<string, CircuitBreakerPolicy>();

  async send(acquirer: string, call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> {
    try {
      return await this.breakerOf(acquirer).execute(async () => await withRetries(call));
    } catch (error) {
      if (error instanceof BrokenCircuitError) return { kind: 'not_sent', reason: 'acquirer_unreachable' };
      throw error;
    }
  }

  private breakerOf(acquirer: string): CircuitBreakerPolicy {
    const known = this.breakers.get(acquirer);
    if (known) return known;
    const breaker = circuitBreaker(handleWhenResult(isConnectionFailure), {
      breaker: new ConsecutiveBreaker(FAILURES_UNTIL_OPEN),
      halfOpenAfter: OPEN_MS,
    });
    this.breakers.set(acquirer, breaker);
    return breaker;
  }
}

const withRetries = async (call: () => Promise<AcquirerOutcome>): Promise<AcquirerOutcome> => {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await call();
    if (!mayBeTriedAgain(outcome) || attempt === TRIES_MAX) return outcome;
    await wait(RETRY_DELAY_MS * attempt * (0.5 + Math.random()));
  }
};
