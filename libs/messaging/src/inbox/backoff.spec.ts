import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';

import { retryDelayMs } from './backoff.js';

const settings = { retryFirstDelayMs: 500, retryDelayMsMax: 60_000 };

describe('the delay before another try', () => {
  it('doubles up to its cap', () => {
    expect([1, 2, 3, 8, 100].map((failures) => retryDelayMs(failures, settings, 1))).toEqual([
      500, 1000, 2000, 60_000, 60_000,
    ]);
  });

  it('spreads between half and all of it', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), fc.double({ min: 0, max: 1, noNaN: true }), (failures, random) => {
        const full = retryDelayMs(failures, settings, 1);
        const delay = retryDelayMs(failures, settings, random);
        expect(delay).toBeGreaterThanOrEqual(full / 2 - 1);
        expect(delay).toBeLessThanOrEqual(full);
      }),
    );
  });
});
