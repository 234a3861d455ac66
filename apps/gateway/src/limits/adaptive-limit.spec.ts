import { describe, expect, it } from '@jest/globals';

import { AdaptiveLimit, LIMIT_MIN } from './adaptive-limit.js';

const after = (windows: number, tookMs: number, limitMax = 128, start?: AdaptiveLimit): AdaptiveLimit => {
  const limit = start ?? new AdaptiveLimit(limitMax, () => clockMs);
  for (let window = 0; window < windows; window += 1) {
    clockMs += 250;
    limit.observe(tookMs);
  }
  return limit;
};
let clockMs = 0;

describe('the number of payments that may be under way', () => {
  it('is the most that is allowed while our own part is quick', () => {
    expect(after(10, 5).current).toBe(128);
  });

  it('falls while our own part is slow, to what still keeps the machine busy', () => {
    expect(after(1, 500).current).toBe(89);
    expect(after(20, 500).current).toBe(LIMIT_MIN);
  });

  it('rises again by steps once it is quick, to the most that is allowed', () => {
    const limit = after(20, 500);
    expect(after(1, 5, 128, limit).current).toBe(LIMIT_MIN + 2);
    expect(after(200, 5, 128, limit).current).toBe(128);
  });

  it('rises again too when nobody brings a card any more by which it could be seen', () => {
    const limit = after(20, 500);
    clockMs += 4_000;
    expect(limit.current).toBe(LIMIT_MIN);
    clockMs += 60_000;
    expect(limit.current).toBe(128);
    limit.observe(5);
    expect(limit.current).toBe(128);
  });

  it('judges a window by its mean and not by each payment', () => {
    const limit = new AdaptiveLimit(128, () => clockMs);
    for (const tookMs of [400, 5, 5, 5, 5]) limit.observe(tookMs);
    clockMs += 250;
    limit.observe(5);
    expect(limit.current).toBe(128);
  });

  it('is never more than what is allowed, however little that is', () => {
    expect(after(10, 5, 2).current).toBe(2);
    expect(after(10, 500, 2).current).toBe(2);
  });
});
