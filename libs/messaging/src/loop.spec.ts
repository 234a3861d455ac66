import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { pino } from 'pino';

import { Loop } from './loop.js';

const SHORTEST_MS = 100;
const LONGEST_MS = 800;
/** Each pause is up to a fifth shorter or longer than it is said to be. */
const JITTER = 1.2;

let passes = 0;
let more = false;
let loop: Loop;

const passesWithin = async (ms: number): Promise<number> => {
  const before = passes;
  await jest.advanceTimersByTimeAsync(ms);
  return passes - before;
};

describe('a loop whose pauses grow', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    [passes, more] = [0, false];
    const pass = (): Promise<boolean> => {
      passes += 1;
      const again = more;
      more = false;
      return Promise.resolve(again);
    };
    loop = new Loop('test', pino({ enabled: false }), SHORTEST_MS, pass, LONGEST_MS);
    loop.start();
  });

  afterEach(async () => {
    await loop.stop();
    jest.useRealTimers();
  });

  it('comes back soon at first, and seldom once it has found nothing for a while', async () => {
    expect(await passesWithin(SHORTEST_MS * JITTER)).toBeGreaterThanOrEqual(1);
    await passesWithin(10_000);
    expect(await passesWithin(10 * LONGEST_MS)).toBeLessThanOrEqual(13);
  });

  it('never rests for longer than its longest pause', async () => {
    await passesWithin(10_000);
    expect(await passesWithin(LONGEST_MS * JITTER)).toBeGreaterThanOrEqual(1);
  });

  it.each([
    [
      'it was poked',
      () => {
        loop.poke();
      },
    ],
    [
      'there was something to do',
      () => {
        more = true;
      },
    ],
  ])('comes back soon again when %s', async (_why, something) => {
    await passesWithin(10_000);
    something();
    // Until the pass that found it, and then the first of the short pauses.
    while ((await passesWithin(10)) === 0);
    expect(await passesWithin(SHORTEST_MS * JITTER)).toBeGreaterThanOrEqual(1);
  });
});
