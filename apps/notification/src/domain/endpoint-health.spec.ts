import { describe, expect, it } from '@jest/globals';

import { type EndpointHealth, evolveHealth, FAILURES_UNTIL_PAUSE, HEALTHY, type TriesSeen } from './endpoint-health.js';

const FIVE_DAYS = 5 * 86_400;
const start = new Date('2026-11-21T12:00:00.000Z');
const later = (seconds: number): Date => new Date(start.getTime() + seconds * 1_000);
const healthy: EndpointHealth = { status: 'ENABLED', disabledReason: null, ...HEALTHY };
const seen = (part: Partial<TriesSeen>): TriesSeen => ({
  accepted: 0,
  failed: 0,
  firstFailedAt: null,
  gone: false,
  ...part,
});
const failing = (since: Date, failures: number): EndpointHealth => ({
  ...healthy,
  failingSince: since,
  consecutiveFailures: failures,
});

describe('the health of an endpoint', () => {
  it('is remembered from the first failure on, and a few are no reason to pause', () => {
    expect(evolveHealth(healthy, seen({ failed: 2, firstFailedAt: start }), later(1), FIVE_DAYS)).toEqual(
      failing(start, 2),
    );
  });

  it('opens the breaker after failures in a row, longer the longer it fails, five minutes at most', () => {
    const pausedFor = (failingSeconds: number): number => {
      const at = later(failingSeconds);
      const { pausedUntil } = evolveHealth(
        failing(start, FAILURES_UNTIL_PAUSE - 1),
        seen({ failed: 1, firstFailedAt: at }),
        at,
        FIVE_DAYS,
      );
      return ((pausedUntil?.getTime() ?? NaN) - at.getTime()) / 1_000;
    };
    expect([0, 40, 400, 86_400].map(pausedFor)).toEqual([1, 10, 100, 300]);
  });

  it('is well again with the first that is accepted', () => {
    const paused = { ...failing(start, 50), pausedUntil: later(60) };
    expect(evolveHealth(paused, seen({ accepted: 1, failed: 3, firstFailedAt: start }), later(61), FIVE_DAYS)).toEqual(
      healthy,
    );
  });

  it('ends after five days of nothing but failure, and not a moment before', () => {
    const at = (seconds: number): EndpointHealth =>
      evolveHealth(failing(start, 90), seen({ failed: 1, firstFailedAt: later(seconds) }), later(seconds), FIVE_DAYS);
    expect(at(FIVE_DAYS - 1).status).toBe('ENABLED');
    expect(at(FIVE_DAYS)).toMatchObject({ status: 'DISABLED', disabledReason: 'failing', failingSince: start });
  });

  it('ends at once when the endpoint says that it is gone', () => {
    expect(evolveHealth(healthy, seen({ accepted: 1, failed: 1, gone: true }), start, FIVE_DAYS)).toMatchObject({
      status: 'DISABLED',
      disabledReason: 'gone',
    });
  });

  it('does not enable what was disabled or deleted meanwhile', () => {
    for (const status of ['DISABLED', 'DELETED'] as const) {
      const ended = { ...healthy, status, disabledReason: 'merchant' as const };
      expect(evolveHealth(ended, seen({ failed: 1, gone: true }), start, FIVE_DAYS)).toMatchObject({
        status,
        disabledReason: 'merchant',
      });
    }
  });
});
