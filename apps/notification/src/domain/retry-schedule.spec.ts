import { describe, expect, it } from '@jest/globals';

import { nextTryAt } from './retry-schedule.js';

const at = new Date('2026-11-21T12:00:00.000Z');
const secondsLater = (seconds: number): Date => new Date(at.getTime() + seconds * 1_000);

describe('when a webhook is tried again', () => {
  it('is later each time, a fifth more or less by chance, and never after the last delay', () => {
    const delays = [5, 300];
    expect(nextTryAt(1, delays, at, 0.5)).toEqual(secondsLater(5));
    expect(nextTryAt(2, delays, at, 0)).toEqual(secondsLater(240));
    expect(nextTryAt(2, delays, at, 1)).toEqual(secondsLater(360));
    expect(nextTryAt(3, delays, at, 0.5)).toBeNull();
  });
});
