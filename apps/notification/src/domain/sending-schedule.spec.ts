import { expect, it } from '@jest/globals';

import { retryDelayMs, SEND_TRIES_MAX } from './sending-schedule.js';

const HOUR_MS = 3_600_000;

it('tries longer and longer, for about a day, and then no more', () => {
  const delays = Array.from({ length: SEND_TRIES_MAX - 1 }, (_, index) => retryDelayMs(index + 1, 0) ?? NaN);
  expect(delays).toEqual([...delays].sort((a, b) => a - b));
  const total = delays.reduce((sum, delay) => sum + delay, 0);
  expect(total).toBeGreaterThan(20 * HOUR_MS);
  expect(total).toBeLessThan(30 * HOUR_MS);
  expect(retryDelayMs(SEND_TRIES_MAX, 0)).toBeUndefined();
});

it('spreads tries over a quarter of the delay', () => {
  expect(retryDelayMs(1, 1)).toBe(1_250);
});
