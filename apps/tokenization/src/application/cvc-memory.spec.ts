import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';

import { CvcMemory } from './cvc-memory.js';

const MINUTE_MS = 60_000;

describe('the CVC', () => {
  let nowMs = 0;
  beforeEach(() => {
    nowMs = performance.now();
    jest.useFakeTimers({ doNotFake: ['performance'] });
    jest.spyOn(performance, 'now').mockImplementation(() => nowMs);
  });
  afterEach(() => {
    jest.restoreAllMocks();
    jest.useRealTimers();
  });
  const pass = (durationMs: number): void => {
    nowMs += durationMs;
    jest.advanceTimersByTime(durationMs);
  };

  it('is kept for a quarter of an hour at most', () => {
    const memory = new CvcMemory();
    memory.remember('tok_1', '987');
    pass(15 * MINUTE_MS - 1);
    expect(memory.recall('tok_1')).toBe('987');
    pass(2);
    expect(memory.recall('tok_1')).toBeUndefined();
  });

  it('is gone at once when the authorization is over', () => {
    const memory = new CvcMemory();
    memory.remember('tok_1', '987');
    memory.forget('tok_1');
    expect(memory.recall('tok_1')).toBeUndefined();
  });

  it('is kept for a minute after an answer that another acquirer may follow, and not once more with each', () => {
    const memory = new CvcMemory();
    memory.remember('tok_1', '987');
    memory.keepBriefly('tok_1');
    pass(MINUTE_MS / 2);
    memory.keepBriefly('tok_1');
    expect(memory.recall('tok_1')).toBe('987');
    pass(MINUTE_MS / 2 + 2);
    expect(memory.recall('tok_1')).toBeUndefined();
  });
});
