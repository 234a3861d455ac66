import { describe, expect, it } from '@jest/globals';

import { roundPauseMs } from './round-pause.js';

describe('the pause before those are tried again who were set aside', () => {
  it('doubles from ten seconds to an hour, and stays there however long it takes', () => {
    expect([0, 1, 2, 8, 9, 10_000].map(roundPauseMs)).toEqual([
      10_000, 20_000, 40_000, 2_560_000, 3_600_000, 3_600_000,
    ]);
  });
});
